"""Lines of kaspad as containers, compose and syslog hand them on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth import EXCERPTS, recordings
from kaspad_taskd.kaspa.sync.lines import Line, stamp, understand, understand_said
from kaspad_taskd.kaspa.sync.wrapping import Said, bare

LINE = (
    "2026-11-29 14:00:00.000+00:00 [INFO ] IBD: Processed 2046 blocks (12%)"
    " last block timestamp: 2026-11-29 10:00:00.000:+0000"
)
REAL = [text for each in recordings(EXCERPTS) for _, text in each.logs] + [LINE]
AT = "2026-11-29T14:00:00.123456789Z"


def _json(line: str) -> str:
    return json.dumps({"log": line + "\n", "stream": "stdout", "time": AT})


def _json_more(line: str) -> str:
    attrs = {"attrs": {"tag": "kaspad"}, "log": line + "\r\n", "stream": "stderr", "time": AT}
    return json.dumps(attrs, ensure_ascii=False)


def _coloured(line: str) -> str:
    return re.sub(r"\[(INFO) \]", "[\x1b[32mINFO \x1b[0m]", line)


WRAPPINGS: dict[str, Callable[[str], str]] = {
    "json": _json,
    "json of a terminal": lambda line: _json_more(_coloured(line)),
    "cri": lambda line: f"{AT} stdout F {line}",
    "cri stderr": lambda line: f"2026-11-29T14:00:00.123456789+00:00 stderr F {line}",
    "compose": lambda line: f"kaspa-node  | {line}",
    "compose coloured": lambda line: f"\x1b[36mkaspa-node-1  | \x1b[0m{_coloured(line)}",
    "compose stamped": lambda line: f"kaspa-node-1  | {AT} {line}",
    "docker logs -t": lambda line: f"{AT} {line}",
    "kubectl": lambda line: f"[pod/kaspad-0/kaspad] {line}",
    "rfc 3164": lambda line: f"Nov 29 14:00:00 host-1 kaspad[812]: {line}",
    "rfc 3164 raw": lambda line: f"<30>Nov  9 04:00:00 host-1 kaspad: {line}",
    "rsyslog": lambda line: f"2026-11-29T14:00:00.123456+00:00 host kaspad[812]: {line}",
    "rsyslog escaped": lambda line: (
        f"2026-11-29T14:00:00.123456+01:00 host kaspad[812]: #033[32m{line}#033[0m"
    ),
    "journalctl short-iso": lambda line: f"2026-11-29T14:00:00+0000 host kaspad[812]: {line}",
    "rfc 5424": lambda line: f'<30>1 {AT} host kaspad 812 - [a@1 b="c\\]"][d] \ufeff{line}',
    "rfc 5424 short": lambda line: f"1 {AT} host kaspad - - - {line}",
    "journal json": lambda line: json.dumps({"MESSAGE": line, "SYSLOG_IDENTIFIER": "kaspad"}),
    "gelf": lambda line: json.dumps({"short_message": line, "host": "kaspad"}),
    "compose in a unit": lambda line: f"Nov 29 14:00:00 h docker[81]: kaspa-node  | {line}",
}

STRANGERS: dict[str, Callable[[str], str]] = {
    "pm2": lambda line: f"0|kaspad  | {line}",
    "supervisord": lambda line: f"kaspad stdout | {line}",
    "ts": lambda line: f"Nov 29 14:00:00 {line}",
    "s6": lambda line: f"2026-11-29 14:00:00.123456789  {line}",
    "tai64n": lambda line: f"@4000000065f1a2b30c0d0e0f {line}",
    "journalctl short-full": lambda line: f"Sun 2026-11-29 14:00:00 UTC host kaspad[8]: {line}",
    "journalctl short-unix": lambda line: f"1795960800.123456 host kaspad[8]: {line}",
    "logfmt": lambda line: f'time="{AT}" level=info msg="{line}"',
    "after a hole": lambda line: f"\x00\x00{line}",
}
"""Forms that nobody here knows: kaspad's own stamp and level tell where its line begins."""
ALL = WRAPPINGS | STRANGERS


@pytest.mark.parametrize("name", ALL)
def test_a_wrapped_line_is_understood_as_the_bare_one(name: str) -> None:
    """Every line of the recordings, with kaspad's own stamp, in every form."""
    for line in REAL:
        assert understand(ALL[name](line)) == understand(line), line
    found = understand(ALL[name](LINE))
    assert found is not None
    assert (found.name, found.groups["n"]) == ("blocks", "2046")


@given(st.sampled_from(sorted(ALL)), st.text(st.characters(exclude_categories=["C", "Z"])))
def test_whatever_is_said_comes_out_of_any_wrapping(name: str, text: str) -> None:
    """Not only what we know, and not a character less."""
    said = next(bare([ALL[name](LINE + text)]))
    assert said.text == LINE + text


@pytest.mark.parametrize("name", [name for name in WRAPPINGS if "rfc 3164" not in name])
def test_where_kaspad_wrote_no_stamp_the_wrapping_s_counts(name: str) -> None:
    """Its prompts, and the last words of a panic."""
    found = understand(WRAPPINGS[name]("Operation was rejected (), exiting.."))
    assert found is not None
    wrapped = WRAPPINGS[name]("")
    expected = None
    if "2026" in wrapped:
        expected = stamp(re.findall(r"2026[^ \"]+", wrapped)[0])
    assert found == Line("rejected", {}, expected)


def test_who_only_quotes_kaspad_is_not_kaspad() -> None:
    """A program that is named says its own lines, whatever stands in them."""
    for name in ("rfc 3164", "compose", "kubectl", "journal json"):
        said = next(bare([WRAPPINGS[name](f"seen: {LINE}")]))
        assert said.text == f"seen: {LINE}"


def test_stamps_without_year_and_zone_are_no_moments() -> None:
    """RFC 3164."""
    found = understand("Nov 29 14:00:00 host kaspad[8]: Operation was rejected (), exiting..")
    assert found == Line("rejected")


@given(st.lists(st.integers(0, len(LINE)), max_size=4), st.booleans())
def test_a_line_that_was_cut_is_whole_again(cuts: list[int], as_json: bool) -> None:
    """Docker and podman cut at 16 KiB; lines of the other stream come between."""
    places = [0, *sorted(cuts), len(LINE)]
    parts = [LINE[a:b] for a, b in pairwise(places)]
    rows = []
    for number, part in enumerate(parts, 1):
        whole = number == len(parts)
        if as_json:
            rows.append(json.dumps({"log": part + "\n" * whole, "stream": "stdout", "time": AT}))
        else:
            rows.append(f"{AT} stdout {'F' if whole else 'P'} {part}")
        rows.append(f"{AT} stderr F between")
    assert [said.text for said in bare(rows) if said.text != "between"] == [LINE]


def test_last_words_without_an_end_are_said_and_spoil_no_start() -> None:
    """A program that died amid a line: the next one's first line is a line."""
    rows = [json.dumps({"log": text, "stream": "stdout"}) for text in ("Do you conf", LINE + "\n")]
    assert [said.text for said in bare(rows)] == ["Do you conf", LINE]
    assert [said.text for said in bare(rows[:1])] == ["Do you conf"]


def test_who_said_it_is_told() -> None:
    """A service of compose, a syslog tag, a container of a pod."""
    found = {name: next(bare([wrap("x")])).who for name, wrap in WRAPPINGS.items()}
    assert found["compose"] == "kaspa-node"
    assert found["compose coloured"] == "kaspa-node-1"
    assert found["compose in a unit"] == "kaspa-node"
    assert found["cri"] is found["json"] is None
    assert {found[name] for name in found if name.startswith(("r", "k", "journal"))} == {"kaspad"}


@given(st.lists(st.one_of(st.text(), st.binary().map(lambda b: b.decode("utf-8", "replace")))))
def test_any_lines_come_through(lines: list[str]) -> None:
    """No bytes break it, and what is no wrapping is left alone."""
    for said in bare(lines):
        understand_said(said)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_json_of_any_shape_comes_through(value: object) -> None:
    """Other programs' JSON, and keys of other kinds."""
    for key in ("log", "stream", "time", "MESSAGE", "container_name"):
        row = {"log": "x\n", "stream": "stdout", "time": AT, key: value}
        assert len([understand_said(said) for said in bare([json.dumps(row)])]) == 1


@pytest.mark.parametrize("line", ['{"log"', "{}", "[]", '{"log": 5}', "a |", " | b", "x: y", ""])
def test_what_is_no_wrapping_is_left_alone(line: str) -> None:
    """Or is a wrapping around nothing."""
    assert next(bare([line])) in (Said(line), Said("", None, "a"))
