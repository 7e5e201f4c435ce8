"""What a unit really gives its program: does the endpoint file decide, or does another thing win?

Pure: what systemd shows of a unit and the texts of its files in; what wins, by name, out. The order
is that of systemd.exec(5): `Environment=`, then each `EnvironmentFile=` over those before it, then
`UnsetEnvironment=`. What a program takes as an option counts more for it than any variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from kaspad_taskd.core.attention import Override

PROPERTIES: Final = ("EnvironmentFiles", "UnsetEnvironment", "ExecStart")
"""What is to be asked of a unit."""
EXEC: Final = "ExecStart="
_FILE: Final = re.compile(r"(.*) \(ignore_errors=(?:yes|no)\)")
_ARGV: Final = re.compile(r"argv\[\]=(.*?) ; ignore_errors=")
_NODE: Final = re.compile(r"(?:wss?|grpcs?)://\S+")
_SPACE: Final = " \t\r\n"

Read: TypeAlias = Callable[[str], Sequence[tuple[str, str | None]]]
"""The files that `EnvironmentFile=` names, a pattern perhaps, with their texts; None: not ours."""


def files(shown: str) -> list[str]:
    """Return the files of `EnvironmentFile=` in order, as systemd shows them, a line each."""
    found = (_FILE.fullmatch(line.strip()) for line in shown.splitlines())
    return [each[1] for each in found if each is not None]


def override(
    values: Mapping[str, str], ours: str, shown: Mapping[str, str], read: Read
) -> Override | None:
    """Return what wins over the endpoint file, or None: nothing that can be seen.

    Args:
        values: the variables that the endpoint file gives.
        ours: its path.
        shown: PROPERTIES of the unit.
        read: see `Read`.
    """
    argv = [part for found in _ARGV.findall(shown["ExecStart"]) for part in _words(found)]
    for variable, value in values.items():
        by = _option(variable, value, argv) or _unset(variable, shown["UnsetEnvironment"])
        by = by or _later_file(variable, value, ours, shown["EnvironmentFiles"], read)
        if by is not None:
            return Override(variable, by)
    return _other_node(values, argv)


def unreadable(ours: str, shown: Mapping[str, str], read: Read) -> str | None:
    """Return a file after ours that cannot be read, so that nobody knows what it sets; or None."""
    for pattern in _after(ours, shown["EnvironmentFiles"]):
        for path, text in read(pattern):
            if text is None:
                return path
    return None


def _after(ours: str, shown: str) -> list[str]:
    known = files(shown)
    last = max((place for place, each in enumerate(known) if each == ours), default=len(known))
    return known[last + 1 :]


def _later_file(variable: str, value: str, ours: str, shown: str, read: Read) -> str | None:
    winner = None
    for pattern in _after(ours, shown):
        for path, text in read(pattern):
            found = {} if text is None else parse(text)
            if variable in found:
                winner = None if found[variable] == value else path
    return winner


def _unset(variable: str, shown: str) -> str | None:
    names = [each.partition("=")[0] for each in _words(shown)]
    return "UnsetEnvironment=" if variable in names else None


def _words(text: str) -> list[str]:
    """What stands between blanks; systemd shows arguments without the quotes that they had."""
    return [part.strip("\"'") for part in text.split()]


def _option(variable: str, value: str, argv: Sequence[str]) -> str | None:
    """What gives a variable's value, or the option that stands for it, another one."""
    for name, given in _given(argv):
        key = name.lstrip("-").replace("-", "_").upper()
        if name.startswith("-"):
            stands = variable == key or ("_" in key and variable.endswith(f"_{key}"))
        else:
            stands = variable == name
        if stands and "$" not in given and given != value:
            return f"{name} in {EXEC}" if name.startswith("-") else EXEC
    return None


def _given(argv: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each `--option VALUE`, `--option=VALUE` and `VARIABLE=VALUE`."""
    for place, word in enumerate(argv):
        name, equals, given = word.partition("=")
        if equals:
            yield name, given.strip("\"'")
        elif word.startswith("-") and place + 1 < len(argv) and argv[place + 1][:1] != "-":
            yield word, argv[place + 1]


def _other_node(values: Mapping[str, str], argv: Sequence[str]) -> Override | None:
    """An argument that is the URL of another node, where no argument is one of our variables."""
    text = " ".join(argv)
    if any(_refers(variable, text) for variable in values):
        return None
    ours = [each for value in values.values() for each in _NODE.findall(value)]
    variable = next((name for name, value in values.items() if _NODE.search(value)), None)
    for place, word in enumerate(argv):
        found = _NODE.search(word)
        if found is None or variable is None or found[0] in ours:
            continue
        before = argv[place - 1] if place and not word.startswith("-") else word.partition("=")[0]
        named = f"{before} in {EXEC}" if before.startswith("-") else f"an argument in {EXEC}"
        return Override(variable, named)
    return None


def _refers(variable: str, text: str) -> bool:
    return re.search(rf"\$(?:\{{{variable}\}}|{variable}(?![A-Za-z0-9_]))", text) is not None


def parse(text: str) -> Mapping[str, str]:
    """Return the variables of an environment file, as systemd reads it."""
    found: dict[str, str] = {}
    rest = text.replace("\r\n", "\n")
    while rest:
        rest = rest.lstrip(_SPACE)
        if rest[:1] in ("#", ";"):
            rest = _without_comment(rest)
            continue
        end = rest.find("\n")
        equals = rest.find("=")
        if equals < 0:
            break
        if 0 <= end < equals:  # a line without a value
            rest = rest[end + 1 :]
            continue
        value, tail = _value(rest[equals + 1 :])
        found[rest[:equals].strip()] = value
        rest = tail
    return found


def _without_comment(text: str) -> str:
    """What follows a comment; a backslash at its end goes on with it."""
    found = re.match(r"(?:\\.|[^\n\\])*(?:\n|$)", text, re.DOTALL)
    return text[found.end() :] if found is not None and found.end() else ""


def _value(text: str) -> tuple[str, str]:
    """A value from after its `=`, and what follows its line."""
    kept: list[str] = []
    solid = 0  # blanks at the end of what is not quoted do not count
    quote = ""
    place = len(text) - len(text.lstrip(" \t"))
    while place < len(text):
        char = text[place]
        place += 1
        if char == "\n" and not quote:
            break
        if char == "\\" and quote != "'" and place < len(text):
            escaped = text[place]
            place += 1
            plain = not quote or escaped in '"\\`$\n'
            kept.append("" if escaped == "\n" else escaped if plain else char + escaped)
            solid = len(kept)
        elif char in "\"'" and quote in ("", char):
            quote = "" if quote else char
            solid = len(kept)
        else:
            kept.append(char)
            solid = len(kept) if quote or char not in " \t\r" else solid
    return "".join(kept[:solid]), text[place:]
