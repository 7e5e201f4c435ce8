"""The hosts of a fleet as lines, and one of them. Pure: hosts, a width and a time in, lines out."""

from __future__ import annotations

from kaspad_taskd.cli import listing
from kaspad_taskd.cli.bars import icon
from kaspad_taskd.cli.screen import hang, wrap
from kaspad_taskd.words import fleet as words
from kaspad_taskd.words import task
from kaspad_taskd.words.apart import column, told_apart
from kaspad_taskd.words.moment import clock
from kaspad_taskd.words.plain import cut, fit, safe, width
from kaspad_taskd.words.sentences import plural, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kaspad_taskd.cli.screen import Line, Piece
    from kaspad_taskd.words.fleet import WireHost

_SIGNS = {
    "ok": ("✓", "done"),
    "trouble": ("!", "attention"),
    "daemon-away": ("!", "attention"),
    "silent": ("✗", "failure"),
}
_NAME, _SINCE = (8, 40), 12  # cells of a name, at least and at most; of `22 Nov 15:32`
_FEW = 5  # sentences below a host's tasks


def _sign(verdict: str) -> Piece:
    """The sign of a verdict and its tone."""
    return _SIGNS.get(verdict, ("·", "dim"))


def unread(fault: object, cells: int) -> list[Line]:
    """Return why nothing can be read; no line where it can."""
    if fault is None:
        return []
    return hang([("! ", "attention")], say("fleet.engine", fault=safe(fault, 400)), cells)


def page(
    hosts: Sequence[WireHost],
    counts: Mapping[str, int],
    cells: int,
    now: float,
    *,
    narrowed: bool = False,
) -> list[Line]:
    """Return how many hosts are well, then a line for each that is shown.

    Args:
        hosts: those that are shown, in order.
        counts: by verdict, how many there are, the others too.
        cells: of a line.
        now: seconds since 1970 UTC.
        narrowed: whether there may be others, of which nothing is counted.
    """
    if not counts:
        return [[(say("fleet.nothing" if narrowed else "fleet.none"), "")]]
    worst = next((each for each in words.VERDICTS if counts.get(each)), "unknown")
    lines = hang([_sign(worst), (" ", "")], words.summary(counts) + ".", cells)
    return [*lines, *_table(hosts, cells, now)] if hosts else lines


def _table(hosts: Sequence[WireHost], cells: int, now: float) -> list[Line]:
    """Sign, name, verdict, since when, tasks, and what else there is to say in what is left."""
    longest = max(width(each["host"]) for each in hosts)
    name = max(_NAME[0], min(_NAME[1], longest, cells // 3))
    names = column([each["host"] for each in hosts], name)
    verdicts = [words.verdict(each) for each in hosts]
    room = max(width(say("list.state")), *map(width, verdicts))
    head = (
        f"  {fit(say('fleet.host'), name)} {fit(say('list.state'), room)} "
        f"{fit(say('fleet.when'), _SINCE)} {say('fleet.tells')}"
    )
    lines: list[Line] = [[(head, "dim")]]
    for host, called, verdict in zip(hosts, names, verdicts, strict=True):
        tone = "dim" if host["verdict"] in ("silent", "unknown") else ""
        since = words.since(host, now) or "-"
        left = cells - name - room - _SINCE - 5
        rest = ", ".join([*words.remarks(host), *words.labels(host)])
        shown = f" {called} {fit(verdict, room)} {fit(since, _SINCE)} "
        lines.append([_sign(host["verdict"]), (shown, tone), (cut(rest, max(left, 8)), "dim")])
    return lines


def detail(host: WireHost, of: Mapping[str, Any], cells: int, now: float) -> list[Line]:
    """Return one host: how it is, whose it is, its tasks as a list shows them, what needs somebody.

    Args:
        host: as in a list of hosts.
        of: its `tasks`, `services` (None: never told) and `warnings`.
        cells: of a line.
        now: seconds since 1970 UTC.
    """
    since = words.since(host, now)
    told = [] if since is None else [say("fleet.since", when=since)]
    told += [*words.remarks(host)]
    text = f"{host['host']}: {words.verdict(host)}, {', '.join(told)}"
    lines: list[Line] = hang([_sign(host["verdict"]), (" ", "")], text, cells)
    lines += [[(f"  {part}", "dim")] for part in wrap(_whose(host), cells - 2) if part]
    known = told_apart(of["tasks"])
    table = listing.rows(known, cells, now)[: len(known) + 1] if known else []
    if host["verdict"] in ("silent", "unknown", "daemon-away") or host["gone"]:
        table = [[(part, "dim") for part, _ in line] for line in table]  # it was so
    lines += table or [[(say("fleet.no-tasks"), "")]]
    return [*lines, *_sentences(of, known, cells, now)]


def _whose(host: WireHost) -> str:
    address = [safe(host["address"], 100)] if host["address"] else []
    programs = [
        say(f"fleet.version.{part}", version=safe(host[part], 60))
        for part in ("daemon", "relay")
        if host[part]
    ]
    return ", ".join([*address, *programs, *words.labels(host)])


def _sentences(
    of: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], cells: int, now: float
) -> list[Line]:
    """What needs somebody there; what is to be typed is typed on the host itself."""
    ill = [one for one in tasks if task.troubled(one)]
    lines: list[Line] = []
    for one in ill[:_FEW]:
        lines += hang([icon(one), (" ", "")], f"{task.attention(one, now)}.", cells)
    needing = [each for each in of["services"] or () if each.get("attention")]
    for each in needing[:_FEW]:
        text = f"{safe(each.get('service'), 64)}: {safe(each['attention'].get('note'))}"
        lines += hang([("! ", "attention")], text, cells)
    for each in of["warnings"][-_FEW:]:
        text = safe(each.get("note") or task.warning(str(each.get("code")), each.get("params"))[0])
        lines += hang([("! ", "attention")], text, cells)
    more = len(ill[_FEW:]) + len(needing[_FEW:]) + len(of["warnings"][:-_FEW])
    if more:
        lines.append([(f"  {plural('fleet.more', more)}", "dim")])
    if lines:
        lines.append([(f"  {say('fleet.there')}", "dim")])
    return lines


def heading(reads: bool, cells: int, now: float) -> Line:
    """Return the first line of what is shown live: the time, and how to leave."""
    left = f"{clock(now)}  {say('watch.live') if reads else say('fleet.lost')}"
    help_text = say("watch.help")
    room = cells - len(left)
    return [(left, ""), (fit(help_text, room, right=True) if room > len(help_text) else "", "dim")]


def within(lines: Sequence[Line], room: int) -> list[Line]:
    """Return as many lines as there is room for, and how many there are beyond."""
    if len(lines) <= room:
        return list(lines)
    left = len(lines) - max(1, room - 1)
    return [*lines[: max(1, room - 1)], [("  " + plural("fleet.more-lines", left), "dim")]]


def plain(host: WireHost, stamp: str) -> str:
    """Return one line for a log: time, host, verdict, what is gone, tasks in trouble."""
    parts = [stamp, host["host"], str(host["verdict"])]
    if host["gone"]:
        parts.append(f"gone={host['gone']}")
    if host["ill"]:
        parts.append(f"ill={host['ill']}")
    return safe(" ".join(parts))
