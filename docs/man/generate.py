"""Writes the options and verbs of both programs into the pages beside it, from their parsers.

Run it after a change of the options or a page: python docs/man/generate.py
The pages are scdoc sources. What scdoc makes of them is in packaging/man, for those who install
them and have none: man -l packaging/man/kaspad-taskctl.1
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from email.utils import parsedate_to_datetime
from pathlib import Path

from kaspad_taskd.cli.options import VERBS, full_parser, parser_of
from kaspad_taskd.daemon.arguments import (
    demo_parser,
    install_parser,
    parser,
    restore_parser,
    uninstall_parser,
)
from kaspad_taskd.fleet.hub.main import parser as hub_parser
from kaspad_taskd.fleet.relay.main import parser as relay_parser
from kaspad_taskd.notify.main import parser as notifier_parser

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MADE = ROOT / "packaging" / "man"
BLOCK = re.compile(r"(?<=^; begin: )(?P<name>\w+)\n.*?(?=^; end$)", re.MULTILINE | re.DOTALL)


def escaped(text: str) -> str:
    """Text without any markup of scdoc in it."""
    return re.sub(r"([\\*_#~\[\]|`])", r"\\\1", text)


def option(action: argparse.Action) -> str:
    names = ", ".join(f"*{escaped(name)}*" for name in action.option_strings)
    if action.nargs == 0:
        return names
    if action.choices is not None:
        return f"{names} " + "|".join(map(escaped, action.choices))
    return f"{names} _{escaped(str(action.metavar or action.dest.upper()))}_"


def options(
    of: argparse.ArgumentParser, skip: frozenset[str] = frozenset(), indent: str = ""
) -> str:
    lines = []
    for action in of._actions:
        hidden = action.help == argparse.SUPPRESS
        if not action.option_strings or hidden or set(action.option_strings) & skip:
            continue
        said = (action.help or "").removesuffix(".")
        said = escaped(said[:1].upper() + said[1:])
        lines += [f"{indent}{option(action)}", f"{indent}	{said}.", ""]
    return "\n".join(lines)


def arguments(of: argparse.ArgumentParser) -> str:
    shown = []
    for action in of._actions:
        if action.option_strings:
            continue
        name = f"_{escaped(str(action.metavar or action.dest.upper()))}_"
        name = {"?": f"\\[{name}\\]", "*": f"\\[{name} ...\\]", "+": f"{name} ..."}.get(
            str(action.nargs), name
        )
        shown.append(name)
    return "".join(f" {each}" for each in shown)


def verbs() -> str:
    common = frozenset(name for action in _common() for name in action.option_strings)
    parts = []
    for verb, (_module, _summary, example, _add) in VERBS.items():
        one = parser_of(verb)
        parts.append(f"*{verb}*{arguments(one)}\n\t{escaped(str(one.description))}")
        parts.append(f"\tFor example: {escaped(f'kaspad-taskctl {example}')}")
        if own := options(one, common, "\t").rstrip("\n"):
            parts.append(own)
    return "\n\n".join(parts) + "\n\n"


def _common() -> list[argparse.Action]:
    return [action for action in full_parser()._actions if action.option_strings]


def blocks() -> dict[str, str]:
    usage = frozenset(["--help"])
    return {
        "daemon": options(parser()),
        "notifier": options(notifier_parser()),
        "relay": options(relay_parser()),
        "hub": options(hub_parser()),
        "restore": options(restore_parser(), usage),
        "install": options(install_parser(), usage),
        "uninstall": options(uninstall_parser(), usage),
        "demo": options(demo_parser(), usage),
        "common": options(full_parser()),
        "verbs": verbs(),
    }


def pages() -> dict[Path, str]:
    """Return each page as it has to be."""
    made = blocks()
    return {
        path: BLOCK.sub(lambda found: f"{found['name']}\n{made[found['name']]}", path.read_text())
        for path in sorted(HERE.glob("*.scd"))
    }


def released() -> str:
    """The day of the release, as seconds since 1970: the page's date, whenever it is made."""
    trailer = re.findall(r"(?m)^ -- .*>  (.+)$", (ROOT / "debian/changelog").read_text())[0]
    return f"{parsedate_to_datetime(trailer).timestamp():.0f}"


def roff(text: str) -> str:
    """What scdoc makes of a page."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": released()}
    done = subprocess.run(
        ["scdoc"], input=text, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def main() -> None:
    for path, text in pages().items():
        path.write_text(text)
        if shutil.which("scdoc"):
            (MADE / path.stem).write_text(roff(text))
    if not shutil.which("scdoc"):
        print("packaging/man is as it was: apt install scdoc", file=sys.stderr)


if __name__ == "__main__":
    main()
