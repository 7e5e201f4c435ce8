"""Services and their switches as lines. Pure: what the daemon tells, a width and a time in."""

from __future__ import annotations

from kaspad_taskd.cli.screen import hang, wrap
from kaspad_taskd.words import kept
from kaspad_taskd.words import service as words
from kaspad_taskd.words import task as tasks
from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.plain import fit, safe, width
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, TypeGuard

    from kaspad_taskd.cli.screen import Line, Piece
    from kaspad_taskd.words.service import Step, WireService, WireSwitch
    from kaspad_taskd.words.task import WireTask

_WIDEST = 100  # cells: further to the right nobody finds the seconds that belong to a step
_LABEL = 24
_TOOK = 7
_FIELD = 11
_SIGNS = {
    "switching": ("▸", "moving"),
    "undoing": ("▸", "moving"),
    "down": ("✗", "failure"),
    "undone": ("!", "attention"),
    "local": ("✓", "done"),
    "unknown": ("!", "attention"),
}
_STEP_SIGNS = {"done": ("✓", "done"), "failed": ("✗", "failure"), "current": ("▸", "moving")}
_QUIET = ("·", "dim")
_BAD = ("✗", "failure")
_SHOWN = 3  # services above the list of tasks
_DOUBT = ("!", "attention")


def sign(service: WireService) -> Piece:
    """Return the sign of a service's condition and its tone."""
    condition = words.condition(service)
    if condition != "down" and (words.hindered(service) or words.needs(service)):
        return "!", "attention"
    return _SIGNS.get(condition, _QUIET)


# -- all of them


def rows(services: Sequence[WireService], nodes: Mapping[str, WireTask], cells: int, now: float
         ) -> list[Line]:  # fmt: skip
    """Return a heading, a line for each service, and what is wrong below it.

    `nodes`: the node-syncs, by id.
    """
    if not services:
        return [[(say("service.none"), "")], [("  " + say("service.declare"), "dim")]]
    names = min(max(13, *(width(words.name(one)) for one in services)), 30)
    heads = ("service.service", names), ("service.uses", 12), ("service.since", 12)
    head = "  " + "  ".join(fit(say(key), room) for key, room in heads) + "  " + say("list.state")
    lines: list[Line] = [[(head, "dim")]]
    for one in services:
        since = seconds_of(one.get("since"))
        cellular = (
            fit(words.name(one), names),
            fit(words.node(one.get("points")), 12),
            fit(when(since, now) if since else "-", 12),
            state(one, nodes, now),
        )
        lines += hang([sign(one), (" ", "")], "  ".join(cellular), cells, " " * (names + 2))
    for one in services:
        lines += [*_wrong(one, cells), *_node_ill(one, nodes, cells, now)]
        for text, cure in words.fallback(one, now):
            lines += hang([_QUIET, (" ", "")], f"{words.name(one)}: {text}", cells)
            lines += [[("  " + cure, "dim")]] if cure else []
    return lines


def state(service: WireService, nodes: Mapping[str, WireTask], now: float) -> str:
    """Return, as a column shows it, what is to be said of where a service is."""
    condition = words.condition(service)
    switch = service.get("switch") or {}
    if condition in ("switching", "undoing"):
        return words.doing(switch)
    if condition in ("down", "undone", "unknown"):
        key = "unreadable" if condition == "unknown" else condition
        return say(f"service.state.{key}")
    if condition == "local":
        return words.use(service, now)
    if service.get("held"):
        return say("service.state.held")
    if words.troubles(service):
        return say("service.state.hindered")
    if service.get("fallen"):
        return say("service.state.fell")
    node = nodes.get(str(service.get("task")))
    return say("service.state.waits", name=tasks.name(node)) if _awaited(node) else "-"


def _awaited(node: WireTask | None) -> TypeGuard[WireTask]:
    """Whether it is still to be complete."""
    return node is not None and node.get("status") != "complete"


def _node_ill(
    service: WireService, nodes: Mapping[str, WireTask], cells: int, now: float
) -> list[Line]:
    """That a service is on a node that is kept watch on and in trouble."""
    node = nodes.get(str(service.get("task")))
    quiet = words.condition(service) == "local" and not words.needs(service)
    if node is None or not quiet or not (kept.kept(node) and tasks.troubled(node)):
        return []
    text = say("service.on-ill", name=words.name(service), what=tasks.headline(node, now))
    return hang([("! ", "attention")], text, cells)


def _wrong(service: WireService, cells: int) -> Iterator[Line]:
    """What speaks against a service, and what to type."""
    switch = service.get("switch") or {}
    told = [(words.name(service), hint.get("note"), hint.get("cure"))
            for hint in words.troubles(service)]  # fmt: skip
    needs = words.needs(service)
    if needs:
        told = [("", needs.get("note"), needs.get("cure")), *told]
    elif words.condition(service) in ("down", "undone"):
        told = [("", switch.get("error"), switch.get("cure"))]
    for name, note, cure in told:
        text = f"{name}: {safe(note)}" if name else safe(note)
        yield from hang([("! ", "attention")], text, cells)
        if cure:
            yield [("  " + safe(cure), "dim")]


def above(attentions: Sequence[Mapping[str, Any]], cells: int) -> list[Line]:
    """Return what comes before the list of tasks: services that need somebody, and what to type.

    `attentions`: as `getInfo` has them.
    """
    lines: list[Line] = []
    for one in attentions[:_SHOWN]:
        text = f"{words.name(one)}: {safe(one.get('note'))}"
        lines += hang([_BAD, (" ", "")], text, cells)
        cure = one.get("cure")
        lines.append(
            [("  " + (safe(cure) if cure else f"kaspad-taskctl switch {words.name(one)}"), "dim")]
        )
    if len(attentions) > _SHOWN:
        text = say("attention.services", n=len(attentions))
        lines.append([(f"  {text}: kaspad-taskctl switch", "dim")])
    return lines


# -- one of them


def page(service: WireService, nodes: Mapping[str, WireTask], cells: int, now: float) -> list[Line]:
    """Return where a service is, what is known of it, and the steps of a switch not gone well."""
    lines = hang([sign(service), (" ", "")], _headline(service, now), cells)
    for label, text in _fields(service, nodes, now):
        lines += hang([("  " + fit(label, _FIELD), "dim")], text, cells)
    switch = service.get("switch")
    if switch and words.condition(service) in ("switching", "undoing", "down", "undone"):
        lines += steps(switch, cells, now)
    return [*lines, *_wrong(service, cells), *_node_ill(service, nodes, cells, now)]


def _headline(service: WireService, now: float) -> str:
    condition, switch = words.condition(service), service.get("switch") or {}
    key = condition if condition in ("switching", "undoing", "down", "unknown") else "points"
    if condition == "down" and words.needs(service).get("code") not in (None, "undo-failed"):
        key = "off"
    since = seconds_of(service.get("since"))
    text = say(
        f"service.headline.{key}",
        name=words.name(service),
        node=words.node(service.get("points")),
        to=switch.get("to"),
        step=words.doing(switch) if switch else None,
        when=when(since, now) if since else None,
    )
    return f"{text}: {state(service, {}, now)}" if condition == "local" else text


def _fields(
    service: WireService, nodes: Mapping[str, WireTask], now: float
) -> Iterator[tuple[str, str]]:
    compose = service.get("compose")
    runs_as = say("service.compose", **compose) if compose else service.get("unit")
    yield say("service.field.unit"), safe(runs_as)
    yield say("service.field.node"), safe(f"{service.get('node')}, {service.get('network')}")
    if service.get("held"):
        yield say("service.field.held"), say("service.held", name=words.name(service))
    for text, cure in words.fallback(service, now):
        yield say("service.field.fallback"), text
        if cure:
            yield "", cure
    node = nodes.get(str(service.get("task"))) if not service.get("held") else None
    if _awaited(node) and words.condition(service) in ("public", "undone"):
        yield say("service.field.then"), say("service.state.waits", name=tasks.name(node))


# -- a switch


def plan(found: Mapping[str, Any], cells: int, now: float) -> list[Line]:
    """Return what a switch would ask and has found, and what it would do then."""
    lines: list[Line] = []
    for one in found["checks"]:
        good = one.get("good")
        sign = ("✓", "done") if good else ("✗", "failure") if one.get("decides") else _DOUBT
        label = fit(say(f"switch.label.{one.get('key')}"), _FIELD)
        lines += hang([sign, (f" {label} ", "")], safe(one.get("note")), cells)
        if one.get("cure") and not good:
            lines.append([("  " + " " * (_FIELD + 1) + safe(one["cure"]), "dim")])
    return [*lines, *_then(found, cells, now)]


def _then(found: Mapping[str, Any], cells: int, now: float) -> Iterator[Line]:
    """What a switch would do, and what stands in its way besides."""
    names = {"name": words.name(found), "to": found.get("to")}
    compose = found.get("compose")
    runs_as = say("service.compose", **compose) if compose else found.get("unit")
    for key, told in (("there", "switch.plan.there"), ("busy", "switch.plan.busy")):
        if found.get(key):
            yield from hang([("✗", "failure"), (" ", "")], say(told, **names), cells)
    yield from hang([("  ", "")], say("switch.plan.restart", unit=safe(runs_as)), cells)
    at, away = seconds_of(found.get("awayAt")), found.get("away")
    last = {"when": when(at, now) if at else None, "away": away}
    yield from hang([("  ", "")], say("switch.plan.away", **last), cells)
    if found.get("held"):
        yield from hang([("  ", "")], say("switch.plan.held", **names), cells)
    for text in _fallback(found, now):
        yield from hang([("  ", "")], text, cells)


def _fallback(found: Mapping[str, Any], now: float) -> Iterator[str]:
    """What is to be said of its fallback, and that it ends by hand."""
    yield from (text for text, _ in words.fallback(found, now))
    if found.get("fallback") == found.get("to") == "public" and not found.get("there"):
        yield say("switch.plan.by-hand")


def steps(switch: WireSwitch, cells: int, now: float, ended_only: bool = False) -> list[Line]:
    """Return the steps that have begun, those of the way back below; `now` in s of the daemon."""
    wanted = ("done", "failed") if ended_only else ("done", "failed", "current")
    lines: list[Line] = []
    for one in words.steps(switch):
        if one.state in wanted:
            lines += step(one, cells, now)
    return lines


def step(one: Step, cells: int, now: float) -> list[Line]:
    """Return one step: its number and name, how it went, its seconds."""
    place = say("service.back", k=one.k, n=one.n, label=one.label)
    label = place if one.back else f"{one.k}/{one.n} {one.label}"
    edge = min(cells, _WIDEST) - 2
    room = max(20, edge - _LABEL - 4 - _TOOK)
    first, *rest = wrap(_short(one.note, room), room)
    head: Line = [("  " + fit(label, _LABEL - 1) + " ", ""), _STEP_SIGNS.get(one.state, _QUIET)]
    tail = fit(first, room) + fit(_took(one, now), _TOOK, right=True)
    lines: list[Line] = [[*head, (" " + tail, "")]]
    return [*lines, *([(" " * (_LABEL + 4) + part, "")] for part in rest)]


def _took(one: Step, now: float) -> str:
    """Seconds with a tenth; of the current step whole ones, so far."""
    if one.took is not None:
        return f"{int(one.took * 10 + 1e-4) / 10:.1f} s"
    if one.state == "current" and one.began is not None:
        return f"{max(0, int(now - one.began))} s"
    return ""


def _short(note: str, room: int) -> str:
    """A part of a line instead of a sentence; of a path that is too long the end."""
    text = note[:1].lower() + note[1:] if note[1:2].islower() else note
    text = text.removesuffix(".")
    if width(text) > room and text.startswith("/") and " " not in text:
        return "/".join(text.split("/")[-2:])
    return text


def as_wanted(switch: WireSwitch, to: str) -> bool:
    """Whether a switch has brought its service `to`: one turned round has by its undo."""
    return switch.get("state") == ("done" if switch.get("to") == to else "undone")


def verdict(switch: WireSwitch, wanted: str) -> list[Line]:
    """Return how a switch has ended, and what to type where that is not as wanted."""
    to, good = switch.get("to"), as_wanted(switch, wanted)
    back = "public" if to == "local" else "local"
    text = say(f"service.ended.{switch.get('state')}", name=words.name(switch), to=to, back=back)
    lines: list[Line] = [[("✓", "done") if good else ("✗", "failure"), (f" {text}", "")]]
    cure = switch.get("cure")
    return [*lines, [("  " + safe(cure), "")]] if cure and not good else lines
