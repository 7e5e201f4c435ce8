"""Files with addresses: read within bounds, refused where others may read them, never quoted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from kaspad_taskd.base.tables import Fault
from kaspad_taskd.config.reading import shown
from kaspad_taskd.config.secret_files import secret_lines
from kaspad_taskd.notify.addresses import http_parts

GROUP: Final = "kaspad-taskd-notify"
MAX_URLS: Final = 32
MAX_LENGTH: Final = 2048
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S.*")
_COMMENT: Final = re.compile(r"\s#")


def urls_of(file: Path) -> tuple[list[tuple[int, str]], list[Fault]]:
    """Return the URLs of a file with their lines, and what is wrong with it. Blocks.

    One URL a line; what begins with `#` is a comment.
    """
    lines, faults = secret_lines(file, GROUP)
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
    lines, faults = secret_lines(file, GROUP)
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
