"""`switch`: services between the local and the public node. The steps live; Ctrl-C ends the view.

The switch is the daemon's: it goes on whatever becomes of this program, and this program follows
it over a restart of the daemon.
"""

from __future__ import annotations

import sys
import time

from kaspad_taskd.cli import services
from kaspad_taskd.cli.ending import RETRY, is_gone
from kaspad_taskd.cli.faults import FAILED, Fault, UsageFault
from kaspad_taskd.cli.frame import Frame
from kaspad_taskd.cli.options import PROG
from kaspad_taskd.cli.screen import Screen
from kaspad_taskd.cli.streams import end_line, must_be_read
from kaspad_taskd.client import Refused, Unreachable
from kaspad_taskd.words.moment import clock
from kaspad_taskd.words.plain import safe
from kaspad_taskd.words.sentences import say
from kaspad_taskd.words.service import RUNNING

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from kaspad_taskd.cli.main import Run
    from kaspad_taskd.client import Subscription

    Tell: TypeAlias = Callable[[Mapping[str, Any], str], None]
    Event: TypeAlias = Mapping[str, Any]

_NEWEST = 2**53
_TICK = 1.0
INTERRUPTED = 130


def run(run: Run) -> int:
    """Show services, or switch one and follow it to its end."""
    service, to = run.options.service, run.options.to
    if run.options.dry_run:
        return _dry(run, service, to)
    if service is None:
        return _all(run)
    if to in (None, "status"):
        return _one(run, service)
    return _switch(run, service, to)


def _all(run: Run) -> int:
    found = run.call("getServices")
    if run.options.json:
        run.print_json(found)
    else:
        run.screen.show(services.rows(found, _nodes(run), run.screen.width, time.time()))
    return _code(found)


def _one(run: Run, name: str) -> int:
    found = _declared(run.call("getServices"), name)
    if run.options.json:
        run.print_json(found)
    else:
        run.screen.show(services.page(found, _nodes(run), run.screen.width, time.time()))
    return _code([found])


def _code(found: Sequence[Mapping[str, Any]]) -> int:
    """1 where one of them needs somebody: a script has to hear it, too."""
    return FAILED if any(one.get("attention") for one in found) else 0


def _dry(run: Run, service: str | None, to: str | None) -> int:
    """Say what a switch would ask and find; without a side: to the node that it does not use."""
    if service is None or to == "status":
        raise UsageFault(say("error.dry-run-what"), f"{PROG} switch --help")
    if to is None:
        points = _declared(run.call("getServices"), service).get("points")
        to = "public" if points == "local" else "local"
    try:
        found = run.call("getSwitchPlan", {"service": service, "to": to})
    except Refused as fault:
        if fault.reason == "not-found" and not run.options.json:
            _declared(run.call("getServices"), service)
        raise
    if run.options.json:
        run.print_json(found)
    else:
        run.screen.show(services.plan(found, run.screen.width, time.time()))
    return 0 if found["possible"] else FAILED


def _declared(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for one in found:
        if one["service"] == name:
            return one
    names = ", ".join(safe(one["service"]) for one in found)
    raise Fault("no-service", service=name, names=names or None)


def _nodes(run: Run) -> dict[str, dict[str, Any]]:
    """The node-syncs, by id."""
    return {one["id"]: one for one in run.call("getTasksByType", {"type": "node-sync"})}


def _switch(run: Run, service: str, to: str) -> int:
    seq = _newest(run)
    try:
        answer = run.call("switchService", {"service": service, "to": to})
    except Refused as fault:
        if fault.reason == "not-found" and not run.options.json:
            _declared(run.call("getServices"), service)
        raise
    if answer.get("held") and not run.options.json:
        Screen(sys.stderr, "never", run.options.ascii).say(say("service.held-told", name=service))
    following = _Following(run, answer["switch"], seq)
    try:
        ended = _show(run, following)
    except KeyboardInterrupt:
        end_line()
        if not run.options.json:
            Screen(sys.stderr, "never", run.options.ascii).say(say("service.goes-on", name=service))
        return INTERRUPTED
    return 0 if services.as_wanted(ended, to) else FAILED


def _newest(run: Run) -> int:
    return int(run.call("getEvents", {"before": _NEWEST, "limit": 1})["seq"])


def _show(run: Run, following: _Following) -> Mapping[str, Any]:
    if run.options.json:
        return following.until_end(lambda _switch, _link: None, run.print_json)
    if run.screen.terminal:
        with Frame(run.screen) as frame:
            ended = following.until_end(_Painter(frame).tell)
    else:
        ended = following.until_end(_Log(run).tell)
    run.screen.show(services.verdict(ended, run.options.to))
    return ended


class _Following:
    """A switch, followed by its events until it has ended.

    Args:
        run: this run.
        switch: as it began.
        seq: of an event before it.
    """

    def __init__(self, run: Run, switch: Mapping[str, Any], seq: int) -> None:
        self._run = run
        self._switch = switch
        self._seq = seq
        self._heard = time.monotonic()
        self._lost = 0.0
        self._over = False

    def until_end(self, tell: Tell, each: Callable[[Event], None] | None = None
                  ) -> Mapping[str, Any]:  # fmt: skip
        """Return it as it ended; `tell(switch, link)` at each news and each second.

        Raises:
            Unreachable: there was no daemon for a minute.
            Fault: what became of it is not known: its record is not kept any more.
        """
        while not self._over:
            tell(self._switch, "")
            try:
                self._listen(self._run.client.subscribe(after=self._seq), tell, each)
            except Refused as fault:
                if fault.reason != "gap":
                    raise
                self._ask()
            except Unreachable as fault:
                self._wait_for(fault, tell)
        return self._switch

    def _listen(
        self, source: Subscription, tell: Tell, each: Callable[[Event], None] | None
    ) -> None:
        self._lost = 0.0
        try:
            while not self._over:
                must_be_read()
                event = source.next(_TICK)
                self._heard = time.monotonic()
                if event and self._take(event) and each:
                    each(event)
                tell(self._switch, "")
        finally:
            source.close()

    def _take(self, event: Event) -> bool:
        """Whether an event is of this switch."""
        self._seq = max(self._seq, int(event["seq"]))
        found = event["data"].get("switch")
        mine = isinstance(found, dict) and found["id"] == self._switch["id"]
        if mine:
            self._switch = found
            self._over = found["state"] not in RUNNING
        return mine

    def _wait_for(self, fault: Unreachable, tell: Tell) -> None:
        """Give the daemon time to come back."""
        self._lost = self._lost or time.time()
        if is_gone(fault, self._heard):
            raise fault
        tell(self._switch, say("watch.reconnecting", when=clock(self._lost)))
        time.sleep(RETRY)

    def _ask(self) -> None:
        """Take it from the services, where its events are not kept any more."""
        name = self._switch["service"]
        found = _declared(self._run.call("getServices"), name)["switch"]
        if found is None or found["id"] != self._switch["id"]:
            raise Fault("switch-lost", service=name)
        self._switch = found
        self._over = found["state"] not in RUNNING
        self._seq = _newest(self._run)


class _Painter:
    """Shows the steps in a frame."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def tell(self, switch: Mapping[str, Any], link: str) -> None:
        """Paint what is known now; what has not changed is not written."""
        self._frame.measure()
        lines = services.steps(switch, self._frame.columns, time.time())
        self._frame.paint([*lines, *([[(f"  {link}", "attention")]] if link else [])])


class _Log:
    """Writes each step once, when it has ended."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told = 0
        self._link = ""

    def tell(self, switch: Mapping[str, Any], link: str) -> None:
        """Write what is news."""
        if link and not self._link:
            sys.stderr.write(f"kaspad-taskd: {link}\n")
        self._link = link
        lines = services.steps(switch, self._run.screen.width, 0.0, ended_only=True)
        self._run.screen.show(lines[self._told :])
        self._told = len(lines)
