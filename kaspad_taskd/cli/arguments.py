"""Arguments that say which tasks and events are meant."""

from __future__ import annotations

from argparse import ArgumentTypeError

from kaspad_taskd.cli.durations import duration
from kaspad_taskd.cli.run.wish import codes_of
from kaspad_taskd.cli.since import since

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Sequence

STATUSES = ("pending", "in-progress", "paused", "complete", "error", "cancelled")
NOTES = {
    "wait": """
Exit code: 0 complete, 4 error, 5 cancelled, 1 removed, 6 the time was over.
Of several the worst: 4 before 5 before 1; 6 where one goes on. With --any that
of the first that ends; of those that have ended already, of the first named.

With --now nothing is waited for: each is asked, and 0 means complete and in
sync at this moment. 7: complete, but behind, stalled, not reachable, or not
known, where nobody looks; 6: not complete yet. --all and patterns mean what has
not ended or is kept watch on; with --any one that is in sync is enough.
""",
    "fleet": """
The hosts that kaspad-taskd-relay carries to a Redis or Valkey, trouble first,
silence second, read as the hub's user of fleet.toml: on the hub's host, with
sudo. One HOST alone is shown with its tasks. It takes 5 s, for so long a host may
say nothing, and 15 s where one is silent; with --timeout it is told then, as far
as it is known. What was seen last stays, with since when, and what is gone.

Exit code: 0 all are well, 7 one is not or is not known to be, 1 Redis cannot be
read or there is no such host, 78 bad settings; with --watch 6 the time was over.
""",
    "report": """
With - the lines of a pipe are read: "42 %", "42/100", "42", also before other
words or in brackets; {"progress": 42, "metadata": {...}}, with "done" and
"total", "completed": true or "error": "..."; KEY=VALUE is a fact, any other line
the fact "note", so pipe only what may be seen. At most one report a second is
sent, the last one always. The task is complete when the pipe ends at 100 %, or
with --complete-at-end; else it goes on. A daemon that restarts ends no pipe:

  pv -n snapshot.tar 2>&1 >/dev/null | kaspad-taskctl report import -
""",
    "run": """
The command runs at once, as if we were not there: the same terminal, the same
bytes, signals and exit code, whatever becomes of kaspad-taskd. Meanwhile it is a
task of the type report, and at its end complete or failed by its exit code. What
could not be told waits for the next kaspad-taskctl of yours. Of the command only
the name of its program is told, and, unless --no-output, the last words of its
standard error where it fails.
""",
}
"""What --help tells beyond the options, by verb; lines of at most 80."""

_ALL = {
    "start": "all that are paused, their watch too, or pending without waiting for another",
    "resume": "all that are paused, complete ones whose watch is too",
    "pause": "all that are watched now, complete ones too",
    "cancel": "all that have not ended",
    "wait": "all that have not ended; with --now also those kept watch on",
}


def several(parser: ArgumentParser) -> None:
    """Take the names of tasks, one at least."""
    what = "an id, or a service with one task; several"
    parser.add_argument("task", metavar="TASK", nargs="*", help=what)


def acting(parser: ArgumentParser) -> None:
    """Take the names of tasks, or --all."""
    what = 'an id, or a service with one task; several, also "kas*"'
    parser.add_argument("task", metavar="TASK", nargs="*", help=what)
    verb = parser.prog.rpartition(" ")[2]
    parser.add_argument("--all", action="store_true", help=_ALL[verb])


def wait(parser: ArgumentParser) -> None:
    """Take the names of tasks, or --all, and whether one is enough."""
    acting(parser)
    add = parser.add_argument
    add("--any", action="store_true", help="until the first has ended, not each")
    add("--now", action="store_true", help="do not wait: ask now whether it is in sync")


_KEEP = "--keep-watching"
_YES_NO = ("true", "false")


def keeping(parser: ArgumentParser) -> None:
    """Take whether watch is kept over what is complete."""
    add, what = parser.add_argument, "look on when it is complete: true or false"
    add(_KEEP, nargs="?", choices=_YES_NO, const="true", help=what)
    add("--no-keep-watching", dest="keep_watching", action="store_const", const="false",
        help="the same as --keep-watching false")  # fmt: skip


def kept(argv: Sequence[str]) -> list[str]:
    """Return the words, with a value for an option that may stand alone before a TYPE."""
    follows = [*argv[1:], ""]
    return [
        f"{_KEEP}=true" if word == _KEEP and then not in _YES_NO else word
        for word, then in zip(argv, follows, strict=True)
    ]


def of_all(verb: str, status: object, waits: bool, watch: object = "none") -> bool:
    """Whether a verb's --all means a task.

    Args:
        verb: start, resume, pause, cancel or wait.
        status: the task's.
        waits: it is pending until another one is complete.
        watch: of one that is complete: none, on or paused.
    """
    if verb == "pause":
        return status == "in-progress" or watch == "on"
    if verb in ("resume", "start"):
        ready = verb == "start" and status == "pending" and not waits
        return ready or status == "paused" or watch == "paused"
    return status in STATUSES[:3]


def listing(parser: ArgumentParser) -> None:
    """Take what narrows a list: names or patterns, statuses, types."""
    add = parser.add_argument
    add("names", metavar="NAME", nargs="*", help='ids or services, also "kas*": these alone')
    what = ", ".join(STATUSES)
    add("--status", metavar="STATUS", type=statuses, action="extend", help=f"{what}; several")
    add("--type", metavar="TYPE", type=words, action="extend", help="node-sync, ...; several")
    add("--failed", action="store_true", help="the same as --status error")
    add("--ids", action="store_true", help="the ids alone, one a line")


def definitions(parser: ArgumentParser) -> None:
    """Take what to do with which definitions."""
    add = parser.add_argument
    actions = ("show", "mask", "unmask")
    what = "mask: with your rights, a link to /dev/null where your own files are"
    add("action", nargs="?", choices=actions, help=what)
    add("names", metavar="NAME", nargs="*", help="an id, or a service with one task")


def run(parser: ArgumentParser) -> None:
    """Take a command, and as what it is told."""
    add = parser.add_argument
    add("--service", metavar="NAME", help="what the task is called; default: the program's name")
    add("--id", help="default: run-TOOL-N")
    add("--title", metavar="TEXT", help="told beside it; of the command itself only its name is")
    what = "how its progress is read: a tool, or json:KEY/TOTAL, percent:REGEX, lines:N"
    add("--as", metavar="TOOL", dest="chosen", help=what)
    add("--stall-after", metavar="D", type=duration, help="stalled when nothing moves for so long")
    add("--ok-codes", metavar="N,N", type=codes, default=(), help="exit codes that are complete")
    add("--no-output", dest="output", action="store_false", help="do not tell its last words")
    add("--quiet", action="store_true", help="say nothing of our own")
    add("--list", dest="tools", action="store_true", help="the tools it knows")
    add("command", metavar="COMMAND", nargs="...", help="behind --: the program and its arguments")


def codes(text: str) -> tuple[int, ...]:
    """Return the exit codes of `23,24`."""
    found = codes_of(text)
    if not found:
        raise ArgumentTypeError(f'"{text}" are no exit codes; write "23" or "23,24"')
    return found


def events(parser: ArgumentParser) -> None:
    """Take what narrows the events: a task, their number, time and type."""
    add = parser.add_argument
    add("task", metavar="TASK", nargs="?", help="an id, or a service with one task")
    add("--last", "-n", metavar="N", type=int, help="how many (20; with --after or --since: all)")
    add("--after", metavar="SEQ", type=int, help="those that followed this number")
    what = "those of the time since then: 1h, today, 14:30, 2026-11-29"
    add("--since", metavar="TIME", type=since, help=what)
    add("--type", metavar="TYPE", type=types, action="extend", help="sync:error, sync:*; several")
    add("--follow", "-f", action="store_true", help="go on with what happens")


def incidents(parser: ArgumentParser) -> None:
    """Take whose incidents are told, and since when."""
    add = parser.add_argument
    add("task", metavar="TASK", nargs="?", help="an id, or a service with one task; default: all")
    add("--last", "-n", metavar="N", type=count(1000), help="how many (20; with --since: all)")
    add("--since", metavar="TIME", type=since, help="those since then: 1h, today, 2026-11-29")


def fleet(parser: ArgumentParser) -> None:
    """Take which hosts are shown, and how."""
    add = parser.add_argument
    add("hosts", metavar="HOST", nargs="*", help='its name, also "wien-*": these alone')
    add("--trouble", action="store_true", help="those alone that are not well")
    add("--watch", action="store_true", help="live, until Ctrl-C or --timeout")
    add(
        "--config",
        metavar="FILE",
        help="its settings; default: your own fleet.toml, then the system's",
    )


def count(most: int) -> Callable[[str], int]:
    """Return what reads a number from 1 to `most`."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise ArgumentTypeError(f"must be a number from 1 to {most}, not {text!r}")
        return int(text)

    return read


def words(text: str) -> list[str]:
    """Return the words of `a,b`: an option that may be repeated takes them so, too."""
    found = [word.strip() for word in text.split(",") if word.strip()]
    if not found:
        raise ArgumentTypeError("is empty")
    return found


def statuses(text: str) -> list[str]:
    """Return the statuses of `paused,pending`."""
    found = words(text)
    wrong = next((word for word in found if word not in STATUSES), None)
    if wrong is not None:
        known = ", ".join(STATUSES)
        raise ArgumentTypeError(f'"{wrong}" is no status; there are {known}')
    return found


def types(text: str) -> list[str]:
    """Return the types of events of `sync:error,switch:*`: names, or patterns."""
    from kaspad_taskd.words.table import entry

    found, known = words(text), sorted(entry("event") or {})
    wrong = next((each for each in found if each not in known and not set(each) & set("*?[")), None)
    if wrong is not None:
        raise ArgumentTypeError(f'"{wrong}" is no type of event; there are {", ".join(known)}')
    return found
