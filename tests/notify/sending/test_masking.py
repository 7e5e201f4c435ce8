"""What a service says, made fit to be shown."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.notify.sending.masking import LONGEST, shown

URL = "ntfys://walter:s3cr%20et@push.example.org:8443/kaspa-7Gh2?priority=high&tags=one,two"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", ""),
        ("ok", "ok"),
        ("  no\r\n such\tthing ", "no such thing"),
        ('{"code":42901,"http":429,"error":"limit reached"}', "limit reached"),
        ('{"ok":false,"error_code":400,"description":"chat not found"}', "chat not found"),
        ('{"message":{"text":1}}', '{"message":{"text":1}}'),
        ("{half", "{half"),
        ("<html><style>a{}</style><h1>502 Bad Gateway</h1></html>", "502 Bad Gateway"),
        ("\x1b[31mred\u202eder", "?[31mredder"),
        ("x" * 400, "x" * 299 + "…"),
        ("x" * 4000, "x" * 299 + "…"),
    ],
)
def test_it_is_one_line_of_what_it_says(said: str, words: str) -> None:
    assert shown(said, ()) == words


@pytest.mark.parametrize(
    "said",
    [
        "topic kaspa-7Gh2 is full",
        "KASPA-7GH2",
        "no user walter",
        "password s3cr et is wrong",
        "password s3cr%20et is wrong",
        "you sent Basic " + base64.b64encode(b"walter:s3cr et").decode(),
        "see https://push.example.org/docs for more",
        '{"error": "see https:\\/\\/push.example.org\\/kaspa-7Gh2"}',
        "<a href='https://other.example/kaspa-7Gh2'>push.example.org</a>",
        "x" * 290 + "kaspa-7Gh2",
        "<style>" + "x" * 1972 + "</style> kaspa-7Gh2",
        "<style>" + "x" * 1978 + "</style>kaspa-7Gh2",
    ],
)
def test_no_part_of_the_address_comes_back(said: str) -> None:
    """Not in another spelling, nor half of it where the text is cut."""
    words = shown(said, (URL,)).lower()
    for part in ("kaspa-7gh2", "kaspa-7", "walter", "s3cr", "push.example", "d2fsdgv"):
        assert part not in words


def test_words_that_are_no_secret_stay() -> None:
    """Options that anybody may have, and short parts within other words."""
    url = "json://ab@host/up?priority=high&format=text"
    assert shown("the priority high is abnormal", (url,)) == "the priority high is abnormal"
    assert shown("no host up", (url,)) == "no *** ***"


def test_a_key_is_no_word_to_show() -> None:
    assert shown("bad signature for key k3y/with+signs", ("", "k3y/with+signs")) == (
        "bad signature for key ***"
    )


SECRET = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=6, max_size=30)


@given(SECRET, st.text(max_size=400), st.text(max_size=400))
def test_a_token_is_never_shown_wherever_it_stands(token: str, before: str, after: str) -> None:
    spelt = quote(token, safe="")
    url = f"json://host/{spelt}"
    for said in (f"{before}{spelt}{after}", f"{before} {token} {after}"):
        words = shown(said, (url,))
        assert len(words) <= LONGEST
        assert words.isprintable()
        if spelt.lower() not in (before + after).lower():
            assert spelt.lower() not in words.lower()
