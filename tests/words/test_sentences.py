"""The table of sentences: complete, every key of it used, and no way to make it fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaspad_taskd.core.reason import EtaReason, Reason
from kaspad_taskd.words.sentences import _FORMS, maybe, plural, say
from kaspad_taskd.words.table import entry, table
from kaspad_taskd.words.task import brief, hint, note

PACKAGE = Path(__file__).parents[2] / "kaspad_taskd"
PLACE = re.compile(r"\{([a-z]+)(?::([a-z]+))?\}")


def _sentences(found: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(found, dict) and not found.keys() <= {"one", "other"}:
        for key, value in found.items():
            yield from _sentences(value, f"{path}.{key}" if path else key)
    else:
        yield path, found


SENTENCES = dict(_sentences(table()))


def test_a_section_is_found_without_the_rest() -> None:
    """Each of them, as the whole file has it; what is none is not found within another."""
    assert {name: entry(name) for name in table()} == table()
    assert [entry(name) for name in ("short", "node-sync", "", "none.at.all")] == [None] * 4


@pytest.mark.parametrize("key", SENTENCES)
def test_every_sentence_can_be_said_without_anything(key: str) -> None:
    """Nothing missing makes a sentence fail; no place is left open."""
    text = say(key)
    assert "{" not in text.replace("'{", "")
    assert say(key, n=1)


@pytest.mark.parametrize("key", SENTENCES)
def test_places_are_well_formed(key: str) -> None:
    """Every brace belongs to a place with a known form."""
    found = SENTENCES[key]
    for text in (
        found.values() if isinstance(found, dict) else [found] if isinstance(found, str) else found
    ):
        assert PLACE.sub("", text).count("{") == 0
        assert {form for _name, form in PLACE.findall(text)} <= {"", *_FORMS}


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_sentences(reason: Reason) -> None:
    """A reason is said in full and in brief, also when nothing more is known of it."""
    assert note(reason).endswith(".")
    assert "?" not in note(reason)
    assert brief(reason)[0].islower()
    assert "?" not in brief(reason)


@pytest.mark.parametrize("reason", list(EtaReason))
def test_every_missing_time_has_its_sentence(reason: EtaReason) -> None:
    """Why there is no time left can always be said."""
    assert "?" not in say(f"eta.{reason}")
    assert entry(f"eta.{reason}") is not None


@pytest.mark.parametrize("code", list(table()["hint"]))
def test_every_hint_says_what_it_means(code: str) -> None:
    """A hint without parameters has a sentence; what to do is said whole or not at all."""
    says, do = hint(code)
    assert "?" not in says
    assert do is None or "{" not in do


SOURCES = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
FORMS = {
    "what",
    "cure",
    "short",
    "label",
    "sentence",
    "long",
    "note",
    "brief",
    "says",
    "do",
    "tells",
    "source",
    "other",
}


WORDS = set(re.findall(r"""["']([a-zA-Z0-9_:.-]+)["']""", SOURCES))


def _used(key: str) -> bool:
    """Whether the key stands in the code, or every part of it that a program could put in does."""
    parts = set(key.split(".")[1:])
    named = any(key == one or key.startswith(one + ".") for one in WORDS if "." in one)
    return named or (bool(parts) and parts <= WORDS | FORMS)


def test_every_key_in_the_code_has_a_sentence() -> None:
    """What `say` is asked for in any room stands in the table."""
    asked = set()
    for path in PACKAGE.rglob("*.py"):
        asked |= set(re.findall(r'\b(?:say|plural|maybe)\(\s*"([a-z.:-]+)"', path.read_text()))
    assert {key for key in asked if entry(key) is None} == set()


def test_every_sentence_is_used() -> None:
    """What nobody says any more is taken out of the table."""
    browsers = ("page.", "wizard.", "months")  # said by scripts, and looked after where these are
    ours = {key for key in SENTENCES if not key.startswith(browsers)}
    assert {key for key in ours if not _used(key)} <= {"unknown", "last-seen"}
    assert all(f'say("{key}"' in SOURCES for key in ("unknown", "last-seen"))


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b\x9b\n\r\u202e{}:")), max_size=400
)


@given(st.sampled_from(sorted(SENTENCES)), HOSTILE)
def test_no_parameter_escapes(key: str, hostile: str) -> None:
    """Whatever is filled in, the sentence is one visible line."""
    found = PLACE.findall(str(SENTENCES[key]))
    text = say(key, **{name: hostile for name, _form in found})
    assert text.isprintable()


@given(HOSTILE)
def test_an_unknown_key_is_said_as_it_is(key: str) -> None:
    """A newer daemon's reason is shown, not hidden, and safe."""
    assert say("reason." + key).isprintable()
    assert note(key).isprintable()
    assert brief(key).isprintable()


def test_the_first_whole_alternative_is_taken() -> None:
    """A sentence says as much as is known."""
    assert note("refused", {"address": "grpc://127.0.0.1:16110"}).startswith("127.0.0.1:16110 ")
    assert note("refused").startswith("It refuses")
    assert maybe("hint.refused.do", unit="kaspad") == "systemctl status kaspad"
    assert maybe("hint.no-movement.do") is None


def test_plural_forms() -> None:
    """One is one, all else is many."""
    assert [plural("time.hour", n) for n in (0, 1, 2)] == ["0 hours", "1 hour", "2 hours"]


def test_numbers_are_formatted_only_where_asked() -> None:
    """A port keeps its digits together; bytes and spans get their units."""
    assert say("answer.host", host="a", port=16110).startswith("a:16110 ")
    assert "0.4 GB" in note("disk-full", {"free": 4e8})
    assert "5 s" in note("timeout", {"seconds": 5.0})


def test_a_step_is_said_in_words() -> None:
    """By its label; an unknown one by its key."""
    said = "It ended at least 3 times in the last hour; the step it came to: {}."
    known = {"count": 3, "phase": "proof"}
    assert say("hint.crash-loop.says", **known) == said.format("checking the proof")
    known["phase"] = "new_one"
    assert say("hint.crash-loop.says", **known) == said.format("new one")


def test_no_alternative_hides_a_later_one() -> None:
    """Of several the first whole one is said: only the last may need nothing."""

    def lists(value: Any, place: str) -> Iterator[tuple[str, list[str]]]:
        if isinstance(value, list):
            yield place, value
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from lists(inner, f"{place}.{key}")

    hidden = [
        place for place, texts in lists(table(), "") if any("{" not in text for text in texts[:-1])
    ]
    assert hidden == []
