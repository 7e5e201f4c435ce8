"""From the arguments to the exit code: one verb, its module, and every fault in words."""

from __future__ import annotations

import errno
import gc
import os
import sys

from kaspad_taskd.cli.faults import FAILED, USAGE, Fault, UsageFault, typed
from kaspad_taskd.cli.quick import options_of
from kaspad_taskd.cli.screen import Screen
from kaspad_taskd.cli.streams import end_line, hold_streams, let_go
from kaspad_taskd.client import Client, Refused, Unreachable
from kaspad_taskd.client.wire import own_directory
from kaspad_taskd.words.sentences import say

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from types import SimpleNamespace
    from typing import Any

INTERRUPTED = 130
_PIPE_CLOSED = 141
_ANSWER_WITHIN = 30.0


class Run:
    """One run of the client: its options, its screen, its connection.

    Attributes:
        options: as parsed.
        screen: standard output.
        client: not yet connected.
        method: the last method called, for the words of a fault.
    """

    def __init__(self, options: Namespace | SimpleNamespace) -> None:
        self.options = options
        self.screen = Screen(sys.stdout, options.color, options.ascii)
        waits = options.verb in ("wait", "watch") and not getattr(options, "now", False)
        self.timeout = _ANSWER_WITHIN if waits else options.timeout or _ANSWER_WITHIN
        self.client = Client(options.socket, self.timeout)
        self.method: str | None = None

    def call(self, method: str, params: object = None) -> Any:
        """Call the daemon. Raises Refused, Unreachable."""
        self.method = method
        return self.client.call(method, params)

    def print_json(self, value: object) -> None:
        """Write one JSON document on one line, in ASCII: fit for any terminal and locale."""
        import json

        self.screen.out.write(json.dumps(value, separators=(",", ":")) + "\n")
        self.screen.out.flush()


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        if not hold_streams():
            return _complain([say("error.output", detail=os.strerror(errno.EBADF))], FAILED)
        return _said(argv)
    except KeyboardInterrupt:
        end_line()
        return INTERRUPTED
    except BrokenPipeError:  # whoever read has gone
        let_go()
        return _PIPE_CLOSED


def _said(argv: Sequence[str]) -> int:
    try:
        return _ended(argv)
    except UsageFault as fault:
        return _complain([str(fault), say("error.usage", help=fault.help_command)], USAGE)
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk
        let_go()
        return _complain([say("error.output", detail=error.strerror or error)], FAILED)


def _ended(argv: Sequence[str]) -> int:
    try:
        return _verb(Run(options_of(argv) or _parsed(argv)))
    except SystemExit as ended:  # --help, --version
        sys.stdout.flush()
        return ended.code if isinstance(ended.code, int) else FAILED


def _parsed(argv: Sequence[str]) -> Namespace:
    from kaspad_taskd.cli.options import parse

    return parse(argv)


def _module(verb: str) -> str:
    """Return the module of a verb: run(Run) -> exit code."""
    if verb in ("", "list", "status"):
        return "tasks"
    gc.enable()
    from kaspad_taskd.cli.options import VERBS

    return VERBS[verb][0]


def _verb(run: Run) -> int:
    _tell_left(run)
    try:
        module = __import__(f"kaspad_taskd.cli.{_module(run.options.verb)}", fromlist=["run"])
        code: int = module.run(run)
    except (Refused, Unreachable, Fault) as fault:
        return _tell(run, fault)
    except (LookupError, TypeError, ValueError, AttributeError):
        # an answer of another shape than ours: another version, or no kaspad-taskd at all
        strange = Fault("answer", method=run.method, typed=typed(run.client.path))
        return _tell(run, strange, named=False)
    finally:
        run.client.close()
    return code


def _tell(run: Run, fault: Refused | Unreachable | Fault, *, named: bool = True) -> int:
    from kaspad_taskd.cli.complaints import tell  # what goes well needs none

    return tell(run, fault, _named(run.options) if named else None)


def _complain(said: list[str], code: int) -> int:
    from kaspad_taskd.cli.complaints import complain

    return complain(said, code)


def _tell_left(run: Run) -> None:
    """Tell what runs of this user could not tell at their end; whatever is wrong harms nobody."""
    try:
        left = os.listdir(f"{own_directory('XDG_STATE_HOME', '.local/state')}/kaspad-taskd/run")  # noqa: PTH208 - pathlib costs start time
    except OSError:  # nearly always: there never was any
        return
    if not left:
        return
    from kaspad_taskd.cli.run import outbox

    outbox.tell_soon(run.options.socket)


def _named(options: Namespace | SimpleNamespace) -> str | None:
    """What the command line named: a task, or a service to switch."""
    named = getattr(options, "service" if options.verb in ("switch", "hold") else "task", None)
    if isinstance(named, list):
        named = named[0] if len(named) == 1 else None
    return named if isinstance(named, str) else None
