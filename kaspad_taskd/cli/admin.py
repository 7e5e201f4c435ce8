"""The verbs about the daemon's own files: reload, token, the list of definitions; and strategy."""

from __future__ import annotations

from kaspad_taskd.cli.faults import FAILED, Fault
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.screen import wrap
from kaspad_taskd.words import task as words
from kaspad_taskd.words.apart import column
from kaspad_taskd.words.plain import cut, fit, safe, width
from kaspad_taskd.words.sentences import say
from kaspad_taskd.words.table import entry

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

_SIGNS = {
    "ok": ("✓", "done"),
    "last-good": ("✗", "failure"),
    "faulty": ("✗", "failure"),
    "masked": ("–", "dim"),  # noqa: RUF001 - an en dash, meant
}


def run(run: Run) -> int:
    """Run the verb."""
    return {
        "reload": reload,
        "strategy": _strategy,
        "token": _token,
    }[run.options.verb](run)


def listing(run: Run) -> int:
    """Show every definition."""
    found = run.call("listDefinitions")
    if run.options.json:
        run.print_json(found)
    elif not found:
        run.screen.say(say("definition.none"))
    else:
        run.screen.show(definitions(found, run.screen.width))
    return 0


def definitions(found: Sequence[Mapping[str, Any]], cells: int) -> list[Line]:
    """Return a line for each definition, its faults below it, none wider than `cells`.

    What is to be said of its state stands beside it, or below where there is no room.
    """
    kinds = min(max(13, *(width(safe(one.get("type") or "-", 40)) for one in found)), 18)
    names = [safe(one.get("id") or one.get("file") or "-", 100) for one in found]
    origins = max(width(origin(one)) for one in found)
    longest = max(map(width, names))
    room = max(8, min(longest, cells - kinds - min(origins, 24) - 4))
    origins = max(1, min(origins, cells - room - kinds - 4))
    lines: list[Line] = []
    for one, name in zip(found, column(names, room), strict=True):
        state = str(one.get("state"))
        line: Line = [
            _SIGNS.get(state, ("!", "attention")),
            (f" {name} ", ""),
            (fit(safe(one.get("type") or "-", 40), kinds) + " ", "dim"),
            (fit(origin(one), origins), "dim"),
        ]
        said = str((entry("definition") or {}).get(state, safe(state)))
        if not said or sum(width(text) for text, _ in line) + 2 + width(said) <= cells:
            lines.append([*line, (f"  {said}", "")])
        else:
            lines += [line, *([("  " + part, "")] for part in wrap(said, cells - 2))]
        lines += faults(one.get("faults") or (), cells)
    return lines


def origin(one: Mapping[str, Any]) -> str:
    """Return where a definition comes from: a directory, the package, a program."""
    return words.origin(one)


def faults(found: Sequence[Mapping[str, Any]], cells: int) -> list[Line]:
    """Return each fault as its file, key and problem."""
    lines: list[Line] = []
    for fault in found:
        file = safe(fault.get("file") or "-").rpartition("/")[2]
        key = f", {safe(fault['key'])}" if fault.get("key") else ""
        text = f"{file}{key}: {safe(fault.get('problem'))}"
        parts = [part for line in wrap(text, cells - 2, "  ") for part in _split(line, cells - 2)]
        lines += [[("  " + part, "attention")] for part in parts]
    return lines


def _split(line: str, cells: int) -> list[str]:
    """A line in parts of at most `cells` cells: a path may be longer than any line."""
    parts = []
    while width(line) > cells:
        head = cut(line, cells, "")
        parts.append(head)
        line = line[len(head) :]
    return [*parts, line]


def reload(run: Run) -> int:
    """Let the daemon read its files again, and say what changed."""
    answer = run.call("reload")
    code = FAILED if answer.get("faults") else 0
    if run.options.json:
        run.print_json(answer)
    else:
        reloaded(run, answer)
    return code


def reloaded(run: Run, answer: Mapping[str, Any]) -> None:
    """Say what the daemon has taken over, and what it has not."""
    keys = (("added", "added"), ("changed", "changed"), ("removed", "removed"))
    said = [
        say(f"reload.{key}", names=", ".join(map(str, answer[field])))
        for field, key in (*keys, ("settings", "settings"), ("needRestart", "restart"))
        if answer.get(field)
    ]
    for line in said or [say("reload.nothing")]:
        run.screen.say(line)
    run.screen.show(faults(answer.get("faults") or (), run.screen.width))


def _token(run: Run) -> int:
    answer = run.call("newToken")
    if run.options.json:
        run.print_json(answer)
    else:
        run.screen.say(say("token.new", file=safe(answer["tokenFile"], 4096)))
    return 0


def _strategy(run: Run) -> int:
    task = find(run, run.options.task) if run.options.task else _node(run)
    answer = run.call("getSyncStrategy", {"taskId": task["id"]})
    if run.options.json:
        run.print_json(answer)
        return 0
    left = say("strategy.left", eta=answer.get("estimatedSeconds"))
    run.screen.say(safe(answer.get("note") or left))
    for option in answer["options"]:
        chosen = option.get("id") == answer["recommended"]
        sign = ("▸", "moving") if chosen else (" ", "")
        run.screen.show([[sign, (f" {safe(option.get('label'))}", "")]])
        sentence = wrap(safe(option.get("description")), run.screen.width - 4)
        run.screen.show([[("    " + part, "dim")] for part in sentence])
    return 0


def _node(run: Run) -> Mapping[str, Any]:
    """The only node-sync there is."""
    nodes = run.call("getTasksByType", {"type": "node-sync"})
    if len(nodes) != 1:
        names = ", ".join(node["id"] for node in nodes)
        raise Fault("ambiguous", task="node-sync", names=names) if nodes else Fault("no-node")
    node: Mapping[str, Any] = nodes[0]
    return node
