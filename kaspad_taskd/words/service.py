"""Sentences about a service that can be switched, from its public form (`getServices`)."""

from __future__ import annotations

from kaspad_taskd.words.moment import seconds_of, when
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import maybe, plural, say

TYPE_CHECKING = False  # importing typing would cost the client a tenth of its start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeAlias

    WireService: TypeAlias = Mapping[str, Any]
    WireSwitch: TypeAlias = Mapping[str, Any]
    SayWhen: TypeAlias = Callable[[float, float], str]

RUNNING = ("running", "undoing")
"""States of a switch that goes on."""
HARMLESS = ("node-not-synced", "checkpoint-unchecked", "checkpoint-unknown")
"""Hints that are no trouble: what they tell passes, or may be good."""


BROKEN = (
    "down", "unit-masked", "unit-missing", "unit-condition", "unit-killed", "unit-out-of-memory",
    "crash-loop", "undo-failed",
)  # fmt: skip
"""What needs somebody because the service does not work, wherever it points."""


ON_NODE = ("not-used", "node-lost", "node-stalled", "node-behind")
"""What needs somebody though the service itself works: its node."""
PASSING = ("waiting", "looking", "switching")
"""Why a service stays that is about to go."""
UNSAID = ("by-person", "undo-failed", "unreadable")
"""Why it stays, where that is said already, or is nobody's trouble."""


def name(service: WireService) -> str:
    """Return what people call it."""
    return safe(service.get("service"), 100)


def condition(service: WireService) -> str:
    """Return the one word for where a service is.

    "switching", "undoing", "down", "undone" (and nobody wanted that), "local", "public", "unknown".
    What is seen now counts more than how its last switch ended.
    """
    switch = service.get("switch") or {}
    state, points = str(switch.get("state")), str(service.get("points"))
    if state in RUNNING:
        return "switching" if state == "running" else "undoing"
    if needs(service).get("code") in BROKEN or (state == "failed" and not service.get("stateAt")):
        return "down"
    if state == "undone" and switch.get("to") != points and switch.get("reason") != "cancelled":
        return "undone"
    return points


def attention(code: str, params: Mapping[str, object]) -> tuple[str, str | None]:
    """Return what is wrong with a service and its cure, None where there is none to say."""
    note = maybe(f"service.attention.{code}.note", **params) or safe(code)
    cure = maybe(f"service.attention.{code}.cure", **params)
    if params.get("stays") is None:
        return note, cure
    more, do = stays(str(params["stays"]), params)
    return f"{note} {more}", do or cure


def stays(code: str, params: Mapping[str, object]) -> tuple[str, str | None]:
    """Return why a service stays that might fall back, or come back, and the cure, if any."""
    says = maybe(f"service.stays.{code}.says", **params) or safe(code)
    return says, maybe(f"service.stays.{code}.do", **params)


def because(facts: Mapping[str, object]) -> str:
    """Return why a fallback began, or ended: `the local node was behind by 14 min`."""
    health = facts.get("health")
    return maybe(f"service.because.{health}", **facts) or safe(health)


def fallback(
    service: WireService, now: float, say_when: SayWhen = when
) -> list[tuple[str, str | None]]:
    """Return what is to be said of a service's fallback: sentences, with what to type, if anything.

    Mostly nothing. `say_when`: how a moment is told where this is read.
    """
    told: list[tuple[str, str | None]] = []
    why = service.get("stays") or {}
    fell, left = service.get("fallen"), why.get("left")
    if fell:
        at = seconds_of(fell.get("at"))
        known = {
            "when": say_when(at, now) if at is not None else None,
            "because": (fell.get("because") or {}).get("note"),
            "after": service.get("returnAfter"),
        }
        stuck = why and why.get("code") not in PASSING
        told.append((say("service.fallen-stays" if stuck else "service.fallen", **known), None))
    if left is not None:
        told.append((say("service.will-return" if fell else "service.will-fall", left=left), None))
    elif why and why.get("code") not in (*PASSING, *UNSAID) and "stays" not in _told(service):
        told.append((safe(why.get("note")), safe(why["cure"]) if why.get("cure") else None))
    return told


def _told(service: WireService) -> Mapping[str, Any]:
    """What of a service is told with what it needs somebody for."""
    return needs(service).get("params") or {}


def needs(service: WireService) -> Mapping[str, Any]:
    """Return what of a service needs somebody now: code, note, cure; empty: nothing."""
    return service.get("attention") or {}


def proof(service: WireService, now: float, say_when: SayWhen = when) -> str | None:
    """Return why it is known to use its node: `3 connections to 127.0.0.1:17110 since 14:39`.

    `say_when`: how a moment is told where this is read.
    """
    known = service.get("proof") or {}
    since = seconds_of(known.get("since"))
    if since is None:
        return None
    return say(
        f"service.proof.{known.get('kind')}",
        n=known.get("count"),
        connections=plural("service.proof.count", int(known.get("count") or 0)),
        address=known.get("address"),
        when=say_when(since, now),
    )


def use(service: WireService, now: float, say_when: SayWhen = when) -> str:
    """Return whether it is seen to use the local node, and by what; `say_when` as in `proof`."""
    code = needs(service).get("code")
    if code in ON_NODE:
        return say(f"service.state.{code}")
    if service.get("verified"):
        return say("service.state.proven", proof=proof(service, now, say_when))
    switched = (service.get("switch") or {}).get("state") in ("done", "undone")
    return say("service.state.restarted" if switched else "service.state.unproven")


def brief(code: object) -> str:
    """Return in a word or two what is wrong with a service, for one line among others."""
    return maybe(f"service.attention.{code}.brief") or safe(code, 60)


def node(side: object) -> str:
    """Return `local node`, `public node` or `unknown`."""
    return maybe(f"service.node.{side}") or safe(side)


def troubles(service: WireService) -> list[Mapping[str, Any]]:
    """Return the hints that are trouble: what speaks against a switch and does not pass."""
    hints = service.get("hints") or ()
    return [hint for hint in hints if hint.get("code") not in HARMLESS]


def hindered(service: WireService) -> bool:
    """Whether it runs where it should, and a switch that is wanted later would fail."""
    return condition(service) in ("public", "local") and bool(troubles(service))


def doing(switch: WireSwitch) -> str:
    """Return what a running switch does: `step 3 of 4, restarting`."""
    at = next((one for one in switch.get("steps") or () if one.get("state") == "current"), None)
    label = maybe(f"switch.doing.{at['key']}") if at else None
    return say("switch.step", k=switch.get("step"), n=switch.get("of"), label=label)


class Step:
    """A step of a switch as it is shown.

    Attributes:
        k: its number of `n`.
        n: how many there are that way.
        back: whether it is of the way back.
        label: what it is called: `check the node`.
        state: "next", "current", "done" or "failed".
        note: how it went, "" where nothing can be said yet.
        began: s since 1970 UTC, or None.
        took: seconds, or None: it has not ended.
    """

    def __init__(self, one: Mapping[str, Any], k: int, n: int) -> None:
        self.k, self.n = k, n
        key = str(one.get("key"))
        self.back = key.startswith("undo-")
        self.label = maybe(f"switch.label.{key}") or safe(key, 60)
        self.state = str(one.get("state"))
        self.note = safe(one.get("note") or "")
        self.began, ended = seconds_of(one.get("startedAt")), seconds_of(one.get("endedAt"))
        known = self.began is not None and ended is not None
        self.took = max(0.0, ended - self.began) if known else None  # type: ignore[operator]


def steps(switch: WireSwitch) -> Iterator[Step]:
    """Yield the steps of the way there, then those of the way back."""
    known = list(switch.get("steps") or ())
    for back in (False, True):
        way = [one for one in known if str(one.get("key")).startswith("undo-") is back]
        yield from (Step(one, k, len(way)) for k, one in enumerate(way, 1))
