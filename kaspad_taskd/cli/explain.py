"""`explain`: why a task is shown as it is, for those who doubt it."""

from __future__ import annotations

from kaspad_taskd.cli.bars import icon
from kaspad_taskd.cli.detail import counted
from kaspad_taskd.cli.find import find
from kaspad_taskd.cli.screen import hang
from kaspad_taskd.words import kept, spans
from kaspad_taskd.words import task as words
from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.plain import fit, safe
from kaspad_taskd.words.sentences import maybe, say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeAlias

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.cli.screen import Line

    Said: TypeAlias = Mapping[str, Any]
    """What `explainTask` answers (contract section 3), or a part of it."""

_LABEL = 11
_SIGNS = {True: ("✓ ", "done"), False: ("✗ ", "attention")}


def run(run: Run) -> int:
    """Ask why, and show it; with --json the whole answer."""
    task = find(run, run.options.task)
    said = run.call("explainTask", {"taskId": task["id"]})
    if run.options.json:
        run.print_json(said)
    else:
        run.screen.show(page(said, run.screen.width))
    return 0


def page(said: Said, cells: int) -> list[Line]:
    """Return the verdict, the conditions, then a rule and its numbers for each thing shown."""
    now = seconds_of(said["at"]) or 0.0  # the daemon's, as all ages are
    lines = hang([_icon(said["task"])], _head(said), cells)
    lines += _field("explain.field.complete", _complete(said), cells)
    for each in said["complete"]["conditions"]:
        sign = _SIGNS[bool(each["holds"])]
        lines += hang([("    ", ""), sign], safe(each["note"]), cells)
    for label, texts in (
        ("percent", _percent(said)),
        ("step", _step(said, now)),
        ("health", _health(said, now)),
        ("moves", _moves(said)),
        ("left", _left(said)),
        ("readings", _readings(said, now)),
    ):
        name = _key(said, f"field.{label}")
        for number, text in enumerate(texts):
            lines += _field(name if number == 0 else "", text, cells)
    return [*lines, _whole(said)]


def _key(said: Said, key: str) -> str:
    return words.of_type(said["task"]["type"], f"explain.{key}")


def _icon(task: Said) -> tuple[str, str]:
    sign, tone = icon(task)
    return sign + " ", tone


def _field(label: str, text: str, cells: int) -> list[Line]:
    name = say(label) if label else ""
    return hang([("  " + fit(name, _LABEL), "dim")], text, cells)


def _whole(said: Said) -> Line:
    """The command for a bug report, whole, to be copied."""
    head = ("  " + fit(say("explain.field.whole"), _LABEL), "dim")
    return [head, (say("explain.whole", id=said["taskId"]), "")]


def _head(said: Said) -> str:
    """`kaspa-node is in progress, about 71 %, step 6 of 7: downloading blocks`."""
    task, step = said["task"], said["step"]
    parts = [say(f"explain.status.{task['status']}", name=words.name(task))]
    parts += [words.percent(task) or ""]
    if step is not None:
        parts.append(_step_name(step))
    return ", ".join(filter(None, parts))


def _step_name(step: Said) -> str:
    label = words.phase(step["phase"])
    text = say("explain.step.place", k=step["number"], n=step["of"], label=label)
    text = text if step["number"] else label
    more = say("explain.step.pass", n=step["pass"]) if step["pass"] > 1 else ""
    return f"{text}, {more}" if more else text


def _complete(said: Said) -> str:
    complete = said["complete"]
    return say(
        _key(said, f"complete.{complete['rule']}"),
        failing=complete["failing"],
        of=len(complete["conditions"]),
        age=said["readings"]["reading"]["age"],
    )


def _percent(said: Said) -> Iterator[str]:
    percent, task = said["percent"], said["task"]
    yield say(_key(said, f"percent.{percent['rule']}"))
    if percent["rule"] == "weights":
        yield _sum(task["phases"], percent)
    if percent["rule"] in ("weights", "counted", "told") and task["progressDetail"]:
        text = counted(task)
        if text:
            yield say("explain.percent.counts", text=text) if said["step"] else text
    if percent["held"]:
        yield say(
            _key(said, "percent.held"),
            shown=spans.percent(percent["shown"]),
            counted=spans.percent(percent["counted"]),
        )


def _sum(phases: list[Said], percent: Said) -> str:
    """`1 connecting + 4 proof + 45.1 % of 75 blocks, of 131 in all = 29.6 %`: what each adds."""
    parts = []
    for each in phases:
        weight, name = f"{each['weight']:.4g}", words.phase(each["key"], "short")
        if each["state"] == "done":
            parts.append(f"{weight} {name}")
        elif each["state"] == "current":
            share = None if percent["share"] is None else spans.percent(percent["share"] * 100)
            parts.append(say("explain.percent.part", share=share, weight=weight, name=name))
    whole = sum(each["weight"] for each in phases)
    known = {"all": f"{whole:.4g}", "counted": spans.percent(percent["counted"])}
    return say("explain.percent.sum", parts=" + ".join(parts), **known)


def _step(said: Said, now: float) -> Iterator[str]:
    step = said["step"]
    if step is None:
        return
    since = seconds_of(step["since"])
    what = words.phase(step["phase"], "sentence")
    yield say("explain.step.is", what=what, when=when(since, now) if since else None)
    rule = maybe(f"explain.step.{said['task']['type']}")
    if rule:
        yield rule


def _health(said: Said, now: float) -> Iterator[str]:
    health, task = said["health"], said["task"]
    since = seconds_of(health["since"])
    yield say(
        _key(said, f"health.{health['rule']}"),
        when=when(since, now) if since else None,
        why=words.why(task) if health["reason"] else None,
        missed=health["missed"],
    )


def _moves(said: Said) -> Iterator[str]:
    moves, age = said["movement"]["moves"], said["readings"]["movement"]["age"]
    if said["task"]["status"] != "in-progress":
        if not kept.looked_at(said["task"]):  # of what is complete and watched its health tells
            yield say("explain.moves.not-watched")
        return
    key = {True: "yes", False: "no", None: "unseen"}[moves]
    yield say(_key(said, f"moves.{key}"), age=age)
    furthest = list(said["movement"]["reached"].items())[-1:]
    for name, value in furthest:
        yield say("explain.moves.reached", name=name or None, value=value)
    if said["health"]["rule"] not in ("answers", "stalled"):  # patience begins with an answer
        return
    yield say(
        "explain.moves.patience",
        waited=said["movement"]["waited"],
        stall=said["movement"]["stallAfter"],
        give=said["movement"]["giveUpAfter"],
    )


def _left(said: Said) -> Iterator[str]:
    left, task = said["timeLeft"], said["task"]
    if task["status"] == "complete":
        return
    if left["walk"] is not None:
        yield say(_key(said, "left.about"), left=left["seconds"])
        yield from _walk(left["walk"], task)
        return
    detail = task["progressDetail"] or {}
    yield say(
        words.of_type(task["type"], f"eta.{left['reason']}"),
        rate=task["syncRate"],
        unit=detail.get("unit"),
    )
    if left["reason"] == "warming-up":
        yield say("explain.left.measured", **_measured(left["measured"]))


def _measured(found: Said) -> dict[str, float]:
    return {
        "moved": found["movements"],
        "needed": found["movementsNeeded"],
        "seconds": found["seconds"],
        "long": found["secondsNeeded"],
    }


def _walk(walk: Said, task: Said) -> Iterator[str]:
    unit = (task["progressDetail"] or {}).get("unit")
    for leg in walk["legs"]:
        name = words.phase(leg["phase"], "short") if leg["phase"] else unit
        yield say(
            "explain.left.leg", amount=leg["amount"], unit=name, rate=leg["rate"],
            took=leg["seconds"],
        )  # fmt: skip
    if walk["pace"] is not None:
        moving = walk["drift"] or None
        yield say("explain.left.grown", grown=walk["grown"], pace=walk["pace"], drift=moving)
    if walk["pause"]:
        yield say("explain.left.pause", pause=walk["pause"])


def _readings(said: Said, now: float) -> Iterator[str]:
    found = said["readings"]
    due = seconds_of(said["task"]["nextCheck"])
    parts = [
        maybe(_key(said, f"readings.{key}"), age=found[key]["age"])
        for key in ("look", "answer", "reading")
    ]
    known = [each for each in parts if each] or [say("explain.readings.none")]
    after = [say("status.next", next=due - now)] if due and due > now else []
    yield ", ".join([*known, *after])
    place = maybe("explain.readings.place", position=found["position"], target=found["target"])
    if place:
        yield place
