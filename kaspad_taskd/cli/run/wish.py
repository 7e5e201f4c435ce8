"""What `run` is asked for. Its command line is read without argparse: the command begins sooner."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence

VERB = "run"
_EVERYWHERE = ("--socket", "--timeout", "--color")  # main's own options that have a value
_VALUES = ("--service", "--id", "--title", "--as", "--stall-after", "--ok-codes", "--socket")
_FLAGS = ("--no-output", "--quiet", "--list")


class Wish:
    """How a command is to be run, and as what it is told.

    Attributes:
        command: the program and its arguments, at least one word.
        service, id, title: as what it is told, or None: by its program.
        chosen: what `--as` says, or None: by its program.
        stall_after: seconds, or None.
        ok_codes: exit codes that are complete besides those that are so by themselves.
        output: whether the last words of its standard error may be told.
        quiet: nothing is said of our own.
        socket: of the daemon, or None: the usual ones.
    """

    __slots__ = (
        "chosen", "command", "id", "ok_codes", "output", "quiet", "service", "socket",
        "stall_after", "title",
    )  # fmt: skip

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.service: str | None = None
        self.id: str | None = None
        self.title: str | None = None
        self.chosen: str | None = None
        self.stall_after: float | None = None
        self.ok_codes: tuple[int, ...] = ()
        self.output = True
        self.quiet = False
        self.socket: str | None = None


def is_run(argv: Sequence[str]) -> bool:
    """Whether the verb of a command line is `run`."""
    words = iter(argv)
    for word in words:
        if word in _EVERYWHERE:
            next(words, None)
        elif not word.startswith("-"):
            return word == VERB
    return False


def wish_of(argv: Sequence[str]) -> Wish | None:
    """Return what a command line asks for, or None: argparse has to look at it.

    That is so where something is wrong with it, and where no command is to be run. What is read
    here means the same to both; the command begins behind `--`, or with the first word that is no
    option.
    """
    found: dict[str, str] = {}
    at, verb = 0, False
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "--" and verb:
            break
        name, equals, value = word.partition("=")
        if name in _VALUES:
            if not equals:
                value = argv[at] if at < len(argv) else "-"
                at += 1
            if value.startswith("-"):
                return None
            found[name] = value
        elif word in _FLAGS:
            found[word] = ""
        elif word.startswith("-"):
            return None
        elif verb:
            at -= 1
            break
        elif word == VERB:
            verb = True
        else:
            return None
    return _wish(list(argv[at:]), found)


def _wish(command: list[str], found: dict[str, str]) -> Wish | None:
    if not command or "--list" in found:
        return None
    wish = Wish(command)
    wish.service, wish.id = found.get("--service"), found.get("--id")
    wish.title, wish.chosen = found.get("--title"), found.get("--as")
    wish.socket = found.get("--socket")
    wish.output, wish.quiet = "--no-output" not in found, "--quiet" in found
    if not (is_name(wish.id, 100) and is_name(wish.service, 64)):
        return None
    codes = codes_of(found.get("--ok-codes"))
    if codes is None:
        return None
    wish.ok_codes = codes
    after = found.get("--stall-after")
    wish.stall_after = _seconds(after) if after is not None else None
    return wish if after is None or wish.stall_after else None


def _seconds(text: str) -> float | None:
    from argparse import ArgumentTypeError

    from kaspad_taskd.cli.durations import duration

    try:
        return duration(text)
    except ArgumentTypeError:
        return None


def is_name(text: str | None, longest: int) -> bool:
    """Whether it can be an id or a service, or is None: there is none."""
    if text is None:
        return True
    plain = text.isascii() and text.replace(".", "").replace("_", "").replace("-", "").isalnum()
    return plain and text[0].isalnum() and len(text) <= longest


def codes_of(text: str | None) -> tuple[int, ...] | None:
    """Return the exit codes of `23,24`, none of None; None: they are no exit codes."""
    words = [] if text is None else text.split(",")
    if not all(word.isascii() and word.isdigit() and int(word[:20]) <= 255 for word in words):
        return None
    return tuple(int(word) for word in words)
