"""Which tool a command is, by the program that runs in the end; never by what it prints. Pure.

Whatever only prepares the way (sudo, nice, env, timeout, `sh -c` of one command) is looked through.
The file of a tool is imported when one is recognised, and no other.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kaspad_taskd.cli.run.tools.tool import Tool

TOOLS: dict[str, tuple[str, ...]] = {
    "apt": ("apt-get", "apt"),
    "aria2c": ("aria2c",),
    "borg": ("borg",),
    "cryptsetup": ("cryptsetup",),
    "curl": ("curl",),
    "dd": ("dd",),
    "ddrescue": ("ddrescue",),
    "e2fsck": ("e2fsck", "fsck.ext2", "fsck.ext3", "fsck.ext4"),
    "ffmpeg": ("ffmpeg",),
    "git": ("git",),
    "pg_amcheck": ("pg_amcheck",),
    "pg_basebackup": ("pg_basebackup",),
    "pg_checksums": ("pg_checksums",),
    "pgbench": ("pgbench",),
    "pip": ("pip", "pip3"),
    "pv": ("pv",),
    "rclone": ("rclone",),
    "resize2fs": ("resize2fs",),
    "restic": ("restic",),
    "rsync": ("rsync",),
    "sevenzip": ("7z", "7za", "7zr", "7zz"),
    "tar": ("tar",),
    "wget": ("wget", "wget2"),
    "xz": ("xz", "unxz", "xzcat"),
    "zstd": ("zstd", "unzstd", "zstdcat", "zstdmt"),
}
"""The files of run/tools and the programs of each. A tool's name is its file's, but for _NAMES."""
WAYS = ("json", "percent", "lines")
"""What `--as` takes before a colon: ways of reading any program (run/tools/general.py)."""

_NAMES = {"sevenzip": "7z", "apt": "apt-get"}
_FILES = {_NAMES.get(file, file): file for file in TOOLS}
_PROGRAMS = {program: file for file, programs in TOOLS.items() for program in programs}
_DEEP = 16  # programs in front of each other
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=", re.ASCII)
_PYTHON = re.compile(r"(?:python|pypy)[23]?(?:\.\d{1,2})?", re.ASCII)
_PIP = re.compile(r"pip[23](?:\.\d{1,2})?", re.ASCII)
_OPERATORS = frozenset("();<>|&")
_REDIRECTIONS = frozenset(("<", ">", ">>", ">|", ">&", "<&", "<>", "&>", "&>>", "<<<"))
_SHELLS = frozenset(("sh", "ash", "bash", "dash", "ksh", "mksh", "zsh"))


class NoSuchTool(ValueError):
    """`--as` names nothing that there is; the argument is what was given."""


class _Front:
    """A program in front of another: what of its command line is its own.

    Attributes:
        short: letters of options that take an argument.
        long: names of options that take one.
        own: words of its own after the options (the duration of timeout).
        without: options with which it runs nothing (`taskset -p PID`).
        assigns: it takes NAME=VALUE before the command.
    """

    __slots__ = ("assigns", "long", "own", "short", "without")

    def __init__(
        self,
        short: str = "",
        long: str = "",
        own: int = 0,
        without: str = "",
        assigns: bool = False,
    ) -> None:
        self.short = short
        self.long = frozenset(long.split())
        self.own = own
        self.without = frozenset(without.split())
        self.assigns = assigns


_FRONTS = {
    "sudo": _Front(
        "CDgGhpRrTtUu",
        "close-from chdir group host prompt chroot role command-timeout type other-user user",
        without="-l --list -e --edit -v --validate -V --version",
        assigns=True,
    ),
    "doas": _Front("uC"),
    "nice": _Front("n", "adjustment"),
    "ionice": _Front(
        "cnpPu", "class classdata pid pgid uid", without="-p --pid -P --pgid -u --uid"
    ),
    "time": _Front("fo", "format output"),
    "env": _Front("uC", "unset chdir", without="-S --split-string", assigns=True),
    "stdbuf": _Front("ioe", "input output error"),
    "chrt": _Front(
        "TPD", "sched-runtime sched-period sched-deadline", own=1, without="-p --pid -m --max"
    ),
    "taskset": _Front(own=1, without="-p --pid"),
    "timeout": _Front("ks", "kill-after signal", own=1),
    "nohup": _Front(),
    "setsid": _Front(),
    "unshare": _Front(
        "RwSGl",
        "root wd setuid setgid propagation setgroups map-user map-users map-group map-groups"
        " monotonic boottime load-interp",
    ),
    "systemd-inhibit": _Front("", "what who why mode", without="--list"),
    "runuser": _Front(
        "ugGsTw", "user group supp-group shell whitelist-environment", without="-c --command"
    ),
    "eatmydata": _Front(),
    "choom": _Front("np", "adjust pid", without="-p --pid"),
}
_SHELLS_OWN = (
    ".", ":", "alias", "bg", "break", "cd", "continue", "eval", "exit", "export", "fg", "getopts",
    "hash", "jobs", "kill", "let", "local", "popd", "pushd", "read", "readonly", "return", "set",
    "shift", "source", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset",
    "wait",
)  # fmt: skip
"""What a shell does itself: the program is the shell."""
_BUILTINS = {"exec": _Front("a"), "command": _Front(without="-v -V"), "builtin": _Front()}
_FILTERED = {"su": "cgGsTwC", "runuser": "cgGsTwCu"}  # `su [-] [USER] -c COMMAND`


def recognise(argv: Sequence[str], chosen: str | None = None) -> tuple[Tool, list[str]] | None:
    """Return the tool that a command is, and the command line of it alone; None: it is none.

    Args:
        argv: the command as it is to be run.
        chosen: what `--as` says: a tool's name, or json:KEY/TOTAL, percent:REGEX, lines:N.

    Raises:
        NoSuchTool: `chosen` is neither.
    """
    inner = innermost(argv)
    if chosen is None:
        file = _file(inner)
        return None if file is None else (_load(file), inner)
    if chosen.partition(":")[0] in WAYS:
        made: Tool | None = _module("general").way(chosen)
        if made is None:
            raise NoSuchTool(chosen)
        return made, inner
    named = _FILES.get(chosen) or _PROGRAMS.get(chosen)
    if named is None:
        raise NoSuchTool(chosen)
    return _load(named), inner


def names() -> list[str]:
    """Return the names of all tools, in order."""
    return sorted(_FILES)


def all_tools() -> list[Tool]:
    """Return all tools, in order of name, those of `--as` last; imports every file."""
    general: list[Tool] = list(_module("general").TOOLS)
    return [_load(_FILES[name]) for name in names()] + general


def innermost(argv: Sequence[str]) -> list[str]:
    """Return the command that runs in the end: what stands in front of it is taken away.

    Where that cannot be told (a pipe, a list of commands, `taskset -p`) it is what is left.
    """
    words, in_shell = list(argv), False
    for _ in range(_DEEP):
        found = _next(words, in_shell)
        if not found:
            break
        in_shell = in_shell or _base(words[0]) in _SHELLS
        words = found
    return words


def _next(words: list[str], in_shell: bool) -> list[str] | None:
    """Return the command that one in front runs, or None: it is none, or runs nothing."""
    if not words:
        return None
    name = _base(words[0])
    if name in _SHELLS:
        return _of_shell(words)
    if name in _FILTERED and (found := _of_su(words, _FILTERED[name])):
        return found
    if _PYTHON.fullmatch(name):
        return _of_python(words)
    front = _FRONTS.get(name) or (_BUILTINS.get(name) if in_shell else None)
    return None if front is None else _behind(words, front)


def _behind(words: list[str], front: _Front) -> list[str] | None:
    at = 1
    while at < len(words) and words[at].startswith("-"):
        word, at = words[at], at + 1
        if word == "--":
            break
        if _is_without(word, front):
            return None
        at += _takes_next(word, front)
    while front.assigns and at < len(words) and _ASSIGNMENT.match(words[at]):
        at += 1
    return words[at + front.own :] or None


def _is_without(word: str, front: _Front) -> bool:
    if word.startswith("--"):
        return word.partition("=")[0] in front.without
    return any(f"-{letter}" in front.without for letter in _letters(word, front.short))


def _takes_next(word: str, front: _Front) -> bool:
    """Whether an option's argument is the word behind it."""
    if word.startswith("--"):
        return "=" not in word and word[2:] in front.long
    letters = _letters(word, front.short)
    return bool(letters) and letters[-1] in front.short and word[1:] == letters


def _letters(word: str, short: str) -> str:
    """The options of a cluster, up to the first that takes an argument: `-nu root` is n, u."""
    for at, letter in enumerate(word[1:], 2):
        if letter in short:
            return word[1:at]
    return word[1:]


def _of_python(words: list[str]) -> list[str] | None:
    """`python3 -Im pip install X`: pip's, where it is."""
    for at, word in enumerate(words[1:], 1):
        if not word.startswith("-") or word.startswith("--"):
            return None
        flags, is_module, glued = word[1:].partition("m")
        if is_module and not set(flags) & set("cWX"):
            rest = [glued, *words[at + 1 :]] if glued else words[at + 1 :]
            return rest if rest and _is_pip(rest[0]) else None
        if set(word) & set("cWX"):
            return None if word[-1] not in "WX" else _of_python([words[0], *words[at + 2 :]])
    return None


def _of_shell(words: list[str]) -> list[str] | None:
    """`bash -ec 'COMMAND'`, where that is one simple command."""
    at, has_command = 1, False
    while at < len(words) and words[at][:1] in ("-", "+") and words[at] not in ("-", "--"):
        word, at = words[at], at + 1
        if word.startswith("--"):
            at += word in ("--rcfile", "--init-file")
            continue
        has_command = has_command or (word[0] == "-" and "c" in word)
        at += word[-1] in "oO"
    if at < len(words) and words[at] in ("-", "--"):
        at += 1
    found = simple(words[at]) if has_command and at < len(words) else None
    return found if found and found[0] not in _SHELLS_OWN else None


def _of_su(words: list[str], short: str) -> list[str] | None:
    """`su - postgres -c COMMAND`; None: no such command, as with `runuser -u USER PROGRAM`."""
    for at, word in enumerate(words[1:], 1):
        name, equals, value = word.partition("=")
        if word == "--" or name == "--user":
            return None
        if name == "--command" and (equals or at + 1 < len(words)):
            return simple(value if equals else words[at + 1])
        letters = "" if word.startswith("--") else _letters(word, short)
        if word.startswith("-u"):
            return None
        if word.startswith("-") and letters.endswith("c"):
            glued = word[1 + len(letters) :]
            return simple(glued or "".join(words[at + 1 : at + 2]))
    return None


def simple(text: str) -> list[str] | None:
    """Return the words of a shell's command, or None: it is not one simple command.

    Redirections and assignments are no words of it. What a shell would put in the place of a
    variable or another command is not known, and stays as it is written.
    """
    import shlex  # most commands have no shell in front

    if "\n" in text.strip() or "`" in text:
        return None
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&")
    lexer.commenters, lexer.whitespace_split = "", True
    try:
        tokens = list(lexer)
    except ValueError:  # a quotation without its end
        return None
    return _commanded(tokens)


def _commanded(tokens: list[str]) -> list[str] | None:
    words: list[str] = []
    skipping = False
    for word in tokens:
        if skipping:
            if set(word) <= _OPERATORS:
                return None
            skipping = False
        elif word and set(word) <= _OPERATORS:
            if word not in _REDIRECTIONS:
                return None
            skipping = True
            if words and words[-1].isdigit():
                words.pop()  # `2>file`: which descriptor it is of
        elif words or not _ASSIGNMENT.match(word):
            words.append(word)
    return words or None


def _file(words: Sequence[str]) -> str | None:
    if not words:
        return None
    name = _base(words[0])
    return "pip" if _is_pip(name) else _PROGRAMS.get(name)


def _is_pip(name: str) -> bool:
    return name in TOOLS["pip"] or _PIP.fullmatch(name) is not None


def _base(program: str) -> str:
    return program.rpartition("/")[2]


def _load(file: str) -> Tool:
    tool: Tool = _module(file).TOOL
    return tool


def _module(file: str) -> Any:
    return __import__(f"kaspad_taskd.cli.run.tools.{file}", fromlist=["TOOL"])
