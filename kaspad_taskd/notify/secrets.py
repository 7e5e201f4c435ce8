"""Files with addresses: read within bounds, refused where others may read them, never quoted."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.reading import os_problem, read_bounded, shown
from kaspad_taskd.notify.addresses import http_parts

MAX_BYTES: Final = 64 * 1024
MAX_URLS: Final = 32
MAX_LENGTH: Final = 2048
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S.*")
_COMMENT: Final = re.compile(r"\s#")
_OTHERS: Final = 0o007


def urls_of(file: Path) -> tuple[list[tuple[int, str]], list[Fault]]:
    """Return the URLs of a file with their lines, and what is wrong with it. Blocks.

    One URL a line; what begins with `#` is a comment.
    """
    lines, faults = _lines(file)
    if lines is None:
        return [], faults
    urls: list[tuple[int, str]] = []
    known: dict[str, int] = {}
    for number, line in lines:
        problem = _problem(line)
        if line in known:
            problem = f"is line {known[line]} again: all would be told twice"
        known.setdefault(line, number)
        if problem:
            faults.append(Fault(f"line {number}", problem, shown(file)))
        else:
            urls.append((number, line))
    if not lines:
        faults.append(Fault("", "has no URL; write one a line", shown(file)))
    if len(lines) > MAX_URLS:
        faults.append(Fault("", f"has {len(lines)} URLs; {MAX_URLS} is the most", shown(file)))
    return urls, faults


def one_line(file: Path, scheme: str = "") -> tuple[str, list[Fault]]:
    """Return the only line of a file that is no comment, "" where there is none, and the faults.

    Args:
        file: its path.
        scheme: "http" for an http or https URL; "" for any text.
    """
    lines, faults = _lines(file)
    if lines is None:
        return "", faults
    what = "URL" if scheme else "key"
    if len(lines) != 1:
        faults.append(Fault("", f"must have one line with the {what}", shown(file)))
        return "", faults
    number, line = lines[0]
    problem = _no_http(line) if scheme else None
    if problem:
        faults.append(Fault(f"line {number}", problem, shown(file)))
    return line, faults


def _problem(line: str) -> str | None:
    if len(line) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if not line.isprintable():
        return "has control characters"
    if _COMMENT.search(line):
        return "has a comment behind the URL; give it a line of its own"
    if not _URL.fullmatch(line):
        return 'is no URL; it begins like "ntfys://" or "mailtos://"'
    return None


def _no_http(line: str) -> str | None:
    if http_parts(line) is None:
        return 'must be a URL that begins with "https://" or "http://"'
    return _problem(line)


def _lines(file: Path) -> tuple[list[tuple[int, str]] | None, list[Fault]]:
    """Lines that say something, with their numbers; None where the file cannot be read."""
    faults: list[Fault] = []

    def look(status: os.stat_result) -> None:
        if status.st_mode & _OTHERS:
            cure = f"others may use it, and it has secrets: chmod o= {shown(file)}"
            faults.append(Fault("", cure, shown(file)))

    try:
        text = read_bounded(file, MAX_BYTES, look).decode("utf-8-sig")
    except OSError as error:
        return None, [*faults, Fault("", _os_problem(file, error), shown(file))]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return None, [*faults, Fault(f"line {line}", "is not UTF-8 text", shown(file))]
    stripped = ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1))
    return [(n, line) for n, line in stripped if line and not line.startswith("#")], faults


def _os_problem(file: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is not there: make it, or name another one"
    if isinstance(error, PermissionError):
        return (
            f"may not be read by uid {os.geteuid()}: "
            f"chown root:kaspad-taskd-notify {shown(file)}; chmod 0640 {shown(file)}"
        )
    return os_problem(file, error)
