"""The verbs of kaspad-taskctl and their options. Only the wanted verb's parser is built."""

from __future__ import annotations

import argparse
import sys

from kaspad_taskd.cli import arguments
from kaspad_taskd.cli.durations import duration
from kaspad_taskd.cli.faults import UsageFault
from kaspad_taskd.cli.quick import ALIASES, DEFAULTS

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    Adder = Callable[[argparse.ArgumentParser], None]

PROG = "kaspad-taskctl"


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageFault instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageFault with argparse's sentence."""
        raise UsageFault(message, f"{self.prog} --help")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help of a fixed width: asking for the terminal's imports shutil at every start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=80)


def _common(parser: argparse.ArgumentParser, default: object) -> None:
    group = parser.add_argument_group("everywhere")
    add = group.add_argument
    add("--socket", metavar="PATH", default=default, help="the daemon's socket")
    add("--json", action="store_true", default=default, help="the daemon's answer, for programs")
    add("--color", choices=("auto", "always", "never"), default=default, help="default: auto")
    add("--ascii", action="store_true", default=default, help="no characters beyond ASCII")
    add(
        "--timeout",
        metavar="S",
        type=duration,
        default=default,
        help="how long to wait: for an answer (30s); with wait and watch: for the end",
    )


def _task(parser: argparse.ArgumentParser, many: str | None = None) -> None:
    what = "an id, or a service with one task"
    parser.add_argument("task", metavar="TASK", nargs=many, help=what)


def _status(parser: argparse.ArgumentParser) -> None:
    _task(parser, "?")


def _watch(parser: argparse.ArgumentParser) -> None:
    _task(parser, "*")


def _one(parser: argparse.ArgumentParser) -> None:
    _task(parser)


def _register(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("type", nargs="?", help="node-sync, indexer-sync, http-json, report, ...")
    add("service", nargs="?", help="what is watched")
    add("pairs", metavar="KEY=VALUE", nargs="*", help="the checker's keys: host=10.0.0.5")
    add("--file", help="take all of it from a definition file (TOML); - is standard input")
    add("--id", help="default: TYPE-SERVICE")
    add("--interval", metavar="D", help="between two looks: 10s")
    add("--look-timeout", metavar="D", help="how long a look may take: 5s")
    add("--confirmations", metavar="N", type=int, help="complete looks in a row")
    add("--stall-after", metavar="D", help="stalled when nothing moves for so long")
    add("--give-up-after", metavar="D", help="failed when nothing moves for so long; never")
    add("--after", metavar="ID", action="append", help="start when this one is complete")
    arguments.keeping(parser)
    add("--watch-interval", metavar="D", help="then between two looks: 30s; --interval at least")
    add("--behind-after", metavar="D", help="then behind when not in sync for so long: 2min")
    add("--relapse-after", metavar="D", help="then a new attempt when so many blocks behind: 1h")
    add("--dry-run", action="store_true", help="print the file it would have; register nothing")
    add("--no-start", action="store_true", help="wait for: kaspad-taskctl start")


def _set(parser: argparse.ArgumentParser) -> None:
    _task(parser)
    what = (
        "interval, timeout, stall_after, give_up_after, confirmations, after, auto_switch, "
        "keep_watching, watch_interval, behind_after or relapse_after"
    )
    parser.add_argument("pairs", metavar="KEY=VALUE", nargs="+", help=what)


def _report(parser: argparse.ArgumentParser) -> None:
    _task(parser)
    add = parser.add_argument
    add("pairs", metavar="KEY=VALUE", nargs="*", help="facts to show; - reads a pipe")
    add("--progress", metavar="P", type=float, help="0 to 100")
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--complete", action="store_true", help="the work is done")
    ends.add_argument("--error", metavar="TEXT", help="the work has failed")
    add("--complete-at-end", action="store_true", help="with -: the end of the pipe is its end")


def _switch(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("service", metavar="SERVICE", nargs="?", help="as the settings declare it; default: all")
    sides = ("local", "public", "status")
    add("to", nargs="?", choices=sides, help="where it shall run; status: where it is (default)")
    add("--dry-run", action="store_true", help="ask all that a switch would ask; touch nothing")


def _hold(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("service", metavar="SERVICE", help="as the settings declare it")
    add("--off", action="store_true", help="let go: it is switched by itself again")


def _warnings(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("action", nargs="?", choices=("ack",), help="say that one was seen: it stands no more")
    add("id", metavar="ID", nargs="?", help="its number, or all")


def _notify(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("action", nargs="?", choices=("test",), help="send a message on trial (as root)")
    add("name", metavar="NAME", nargs="?", help="of a [[to]] in notify.toml; default: all")
    add("--state-dir", metavar="DIR", help="of the notifier; default: the system's, then your own")


def _token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("new",), help="make a new one: every browser is locked")


def _backup(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--to", metavar="DIR", help="bring the copy there, with your rights; else it stays beside")
    what = "with --to: remove older copies of it but N in all"
    add("--keep", metavar="N", type=arguments.count(10_000), help=what)


def _call(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", help="rpc.discover lists them all")
    what = "KEY=VALUE, each value JSON or text; or one JSON object or list"
    parser.add_argument("params", metavar="PARAM", nargs="*", help=what)


def _nothing(_parser: argparse.ArgumentParser) -> None:
    pass


_RUN = "run -- rsync -a --info=progress2 /data/ host:/data/"
# verb -> module and function, what it does, an example, its own arguments
VERBS: dict[str, tuple[str, str, str, Adder]] = {
    "list": ("tasks", "all tasks, trouble said below", "list --failed", arguments.listing),
    "status": ("tasks", "one task in full; without TASK the verdict", "status kaspa-node", _status),
    "watch": ("watch", "the same, live", "watch kaspa-node", _watch),
    "wait": ("wait", "wait for the end of tasks", "wait kaspa-node --timeout 3h", arguments.wait),
    "explain": ("explain", "why it is shown so, rule by rule", "explain kaspa-node", _one),
    "register": ("register", "watch something", "register node-sync kaspa-node", _register),
    "set": ("pace", "another pace for what a program registered", "set import interval=20s", _set),
    "start": ("change", "begin to watch, or go on", "start kaspa-node", arguments.acting),
    "resume": ("change", "go on with what is paused", "resume kaspa-node", arguments.acting),
    "pause": ("change", "stop watching for now", "pause kaspa-node", arguments.acting),
    "check": ("change", "look now", "check kaspa-node", arguments.several),
    "cancel": (
        "change",
        "stop watching; nothing else is touched",
        "cancel kaspa-node",
        arguments.acting,
    ),
    "retry": ("change", "a new attempt at what has ended", "retry kaspa-node", arguments.several),
    "remove": (
        "change",
        "forget a task that a program registered",
        "remove import",
        arguments.several,
    ),
    "report": ("register", "tell how far a report task is", "report import --progress 42", _report),
    "run": ("run.described", "any command as a task while it runs", _RUN, arguments.run),
    "events": ("events", "what happened", "events kaspa-node --since 1h", arguments.events),
    "incidents": (
        "incidents",
        "when it was not in sync, and why",
        "incidents kaspa-node --since yesterday",
        arguments.incidents,
    ),
    "definitions": (
        "definitions",
        "the definition files and their faults",
        "definitions mask ID",
        arguments.definitions,
    ),
    "edit": ("edit", "change a definition's file, checked, then reload", "edit kaspa-node", _one),
    "reload": ("admin", "read settings and definitions again", "reload", _nothing),
    "switch": ("switch", "services between nodes", "switch kasia-indexer local", _switch),
    "hold": ("hold", "only you switch it from now on", "hold kasia-indexer", _hold),
    "strategy": ("admin", "wait here, go on, or skip?", "strategy kaspa-node", _status),
    "backup": ("backup", "save the state; prints the copy's path", "backup", _backup),
    "token": ("admin", "the bridge's token, made anew", "token new", _token),
    "doctor": ("doctor", "look for what is wrong", "doctor", _nothing),
    "warnings": ("warnings", "what must have been seen once", "warnings ack 3", _warnings),
    "notify": ("notify", "what people were told, what waits", "notify test phone", _notify),
    "fleet": ("fleet", "many hosts, over Redis", "fleet --trouble", arguments.fleet),
    "call": ("call", "any method of the daemon", "call getTask taskId=import", _call),
}

_WITH_VALUE = ("--socket", "--color", "--timeout")
_ELSEWHERE = {  # what other programs call it
    "add": ("register",), "delete": ("remove",), "info": ("status",), "log": ("events",),
    "logs": ("events",), "show": ("status",), "stop": ("pause", "cancel"), "top": ("watch",),
    "unpause": ("resume",), "why": ("explain",),
}  # fmt: skip
_MANY = ("start", "resume", "pause", "check", "cancel", "retry", "remove", "wait")
_MIXED = (*_MANY, "call", "fleet", "list", "watch", "register", "report", "set")
"""Verbs whose words may stand behind options too."""


def verb_of(argv: Sequence[str]) -> int | None:
    """Return where the verb stands: the first that is no option and no option's value."""
    skip = False
    for place, word in enumerate(argv):
        if skip:
            skip = False
        elif word in _WITH_VALUE:
            skip = True
        elif not word.startswith("-"):
            return place
    return None


def parser_of(verb: str) -> Parser:
    """Return the parser of one verb."""
    _module, summary, example, add = VERBS[verb]
    parser = Parser(
        prog=f"{PROG} {verb}",
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"{arguments.NOTES.get(verb, '').strip()}\n\nexample: {PROG} {example}".strip(),
        formatter_class=_Help,
        allow_abbrev=False,
    )
    add(parser)
    _common(parser, argparse.SUPPRESS)
    return parser


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the options with `verb`; raises UsageFault, or SystemExit(0) after --help."""
    place = verb_of(argv)
    if place is None:
        return _without_verb(argv)
    verb = ALIASES.get(argv[place], argv[place])
    if verb not in VERBS:
        raise UsageFault(f"{verb} is no verb of {PROG}{_meant(verb)}", f"{PROG} --help")
    options = argparse.Namespace(verb=verb, **DEFAULTS)
    rest = [*argv[:place], *argv[place + 1 :]]
    parser = parser_of(verb)
    if verb == "register":
        rest = arguments.kept(rest)
    if verb in _MIXED:
        parser.parse_intermixed_args(rest, options)
    else:
        parser.parse_args(rest, options)
    if verb in _MANY:
        _check_names(parser, options)
    return options


def _check_names(parser: Parser, options: argparse.Namespace) -> None:
    """Whoever names no task has not thereby named all."""
    every = getattr(options, "all", None)  # None: this verb has no --all
    if options.task and every:
        parser.error("TASK and --all: one of both")
    if not options.task and not every:
        parser.error("a TASK is needed" if every is None else "a TASK is needed, or --all")


def _meant(verb: str) -> str:
    """Return `: did you mean status?`, the verbs that are written almost so, or ""."""
    from difflib import get_close_matches

    word = verb[:40].lower()
    near = list(_ELSEWHERE.get(word, ())) or get_close_matches(word, VERBS, n=2, cutoff=0.6)
    return f": did you mean {' or '.join(near)}?" if near else ""


def _without_verb(argv: Sequence[str]) -> argparse.Namespace:
    parser = Parser(prog=PROG, add_help=False, formatter_class=_Help, allow_abbrev=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--version", action="store_true")
    _common(parser, argparse.SUPPRESS)
    options = parser.parse_args(list(argv), argparse.Namespace(verb="", **DEFAULTS))
    if options.help:
        sys.stdout.write(overview())
        raise SystemExit(0)
    if options.version:
        from kaspad_taskd.version import __version__

        sys.stdout.write(f"{PROG} {__version__}\n")
        raise SystemExit(0)
    return options


def overview() -> str:
    """Return the help of the whole command."""
    verbs = "\n".join(f"  {verb:<12}{entry[1]}{_also(verb)}" for verb, entry in VERBS.items())
    return f"""usage: {PROG} [VERB] [OPTIONS]

What kaspad-taskd watches on this host. Without a verb: verdict and list.

{verbs}

TASK is an id, or a service with one task. Watching is not doing: pause and
cancel stop the watching only. More, and an example: {PROG} VERB --help

  --socket PATH      the daemon's socket; default: the system's, then your own
  --json             the daemon's answer, for programs
  --timeout S        how long to wait: 30, 10s, 5min
  --color auto|always|never
  --ascii            no characters beyond ASCII
  --version

exit codes: 0 ok, 1 refused, failed or undone, 2 usage, 3 cannot reach
kaspad-taskd; wait and watch: 0 complete, 4 error, 5 cancelled, 6 timeout;
wait --now: 7 complete, but not in sync now; fleet: 7 a host is not well, 78 bad
settings; 130 on Ctrl-C
"""


def _also(verb: str) -> str:
    """The other names of a verb, in brackets."""
    names = ", ".join(alias for alias, meant in ALIASES.items() if meant == verb)
    return f" ({names})" if names else ""


def full_parser() -> argparse.ArgumentParser:
    """Return one parser with all verbs: what the shell completions are made from."""
    parser = argparse.ArgumentParser(prog=PROG, formatter_class=_Help)
    parser.add_argument("--version", action="store_true", help="print the version")
    _common(parser, None)
    verbs = parser.add_subparsers(metavar="VERB")
    for verb, (_module, summary, _example, add) in VERBS.items():
        aliases = [alias for alias, meant in ALIASES.items() if meant == verb]
        one = verbs.add_parser(verb, aliases=aliases, help=summary, description=summary)
        add(one)
        _common(one, None)
    return parser
