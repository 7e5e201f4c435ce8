"""The man pages say what the programs do: no option, key or code is missing, none too many."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kaspad_taskd.base.tables import Table
from kaspad_taskd.cli import options
from kaspad_taskd.config.definitions import parse_definition
from kaspad_taskd.config.settings import parse_settings
from kaspad_taskd.core.model import Origin
from kaspad_taskd.daemon.arguments import (
    demo_parser,
    install_parser,
    parser,
    restore_parser,
    uninstall_parser,
)
from kaspad_taskd.fleet.hub.main import parser as hub_parser
from kaspad_taskd.fleet.relay.main import parser as relay_parser
from kaspad_taskd.fleet.settings import Part
from kaspad_taskd.fleet.settings import parse as parse_fleet
from kaspad_taskd.notify.main import parser as notifier_parser
from kaspad_taskd.notify.settings import parse as parse_notify
from kaspad_taskd.probes import TYPES

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "man"
DAEMON, CLIENT = PAGES / "kaspad-taskd.8.scd", PAGES / "kaspad-taskctl.1.scd"
NOTIFIER, NOTIFY = PAGES / "kaspad-taskd-notify.8.scd", PAGES / "kaspad-taskd-notify.toml.5.scd"
RELAY, HUB = PAGES / "kaspad-taskd-relay.8.scd", PAGES / "kaspad-taskd-hub.8.scd"
SETTINGS, TASKS = PAGES / "kaspad-taskd.toml.5.scd", PAGES / "kaspad-taskd-tasks.5.scd"
ALL = sorted(PAGES.glob("*.scd"))

SCDOC = shutil.which("scdoc")
needs_scdoc = pytest.mark.skipif(SCDOC is None, reason="scdoc is not installed: apt install scdoc")


def generated() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_man", PAGES / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sections(page: Path) -> dict[str, str]:
    """The text below each heading, by its words in lower case."""
    parts = re.split(r"^##? (.+)$", page.read_text(), flags=re.MULTILINE)
    return {name.lower(): text for name, text in zip(parts[1::2], parts[2::2], strict=True)}


ITEM = re.compile(r"^(\*[\w.\\-]+\*(?:, \*[\w.\\-]+\*)*)(?: [_\\].*)?$", re.MULTILINE)


def items(text: str) -> list[str]:
    """What a list of items explains, in order."""
    lines = [line.replace("\\", "") for line in ITEM.findall(text)]
    return [name for line in lines for name in re.findall(r"\*([\w.-]+)\*", line)]


def test_options_and_verbs_are_what_the_parsers_say() -> None:
    """After a change of the options: python docs/man/generate.py."""
    made = generated().pages()
    assert {path: path.read_text() for path in ALL} == made


@pytest.mark.parametrize("page", [DAEMON, NOTIFIER, RELAY, HUB, CLIENT], ids=lambda page: page.name)
def test_help_and_page_have_the_same_options(page: Path) -> None:
    """Each option of --help is in the page, each option of the page in --help, verbs too."""
    if page is DAEMON:
        parsers = (parser, demo_parser, restore_parser, install_parser, uninstall_parser)
        helped = [made().format_help() for made in parsers]
    elif page is NOTIFIER:
        helped = [notifier_parser().format_help()]
    elif page is RELAY:
        helped = [relay_parser().format_help()]
    elif page is HUB:
        helped = [hub_parser().format_help()]
    else:
        helped = [options.overview(), *(options.parser_of(v).format_help() for v in options.VERBS)]
        assert set(items(sections(page)["verbs"])) == set(options.VERBS)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(helped)))
    text = page.read_text().replace("\\", "")
    defined = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    assert defined == named | {"--help"}


class Asked:
    """Notes every key that a table is asked for, by the path of its table."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys: dict[str, set[str]] = {}
        get = Table._get

        def noting(table: Table, key: str, *rest: Any, **more: Any) -> Any:
            self.keys.setdefault(table.path, set()).add(key)
            return get(table, key, *rest, **more)

        monkeypatch.setattr(Table, "_get", noting)


def test_every_settings_key_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the daemon asks for, table by table, and no others."""
    asked = Asked(monkeypatch)
    service = {"compose": {"project": "p"}, "verify": {"task": "t"}, "env": {"A": "b"}}
    parse_settings({"databases": {"NAME": {}}, "services": {"NAME": service, "TWO": {}}})
    asked.keys["services.NAME"] |= asked.keys.pop("services.TWO")
    asked.keys[""] -= {"bridge", "databases", "services"}  # sections of their own
    page = sections(SETTINGS)
    found = {
        "": page["keys"],
        "bridge": page["bridge"],
        "databases.NAME": page["databases"],
        "services.NAME": page["services"],
        "services.NAME.compose": page["compose"],
        "services.NAME.verify": page["verify"],
    }
    assert {path: set(items(text)) for path, text in found.items()} == asked.keys


def test_every_key_of_the_notifier_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that it asks for, table by table, and no others."""
    asked = Asked(monkeypatch)
    parse_notify({"to": [{}], "heartbeat": {}}, "/etc/kaspad-taskd/notify.toml")
    asked.keys[""] -= {"to", "heartbeat"}  # sections of their own
    page = sections(NOTIFY)
    found = {"": page["keys"], "to[1]": page["to"], "heartbeat": page["heartbeat"]}
    assert {path: set(items(text)) for path, text in found.items()} == asked.keys


def test_every_key_of_a_fleet_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that relay and hub ask for, and no others."""
    asked = Asked(monkeypatch)
    parse_fleet({}, "/etc/kaspad-taskd/fleet.toml", Part.RELAY)
    asked.keys[""] -= {"redis", "hub"}  # sections of their own, and the hub's
    named = asked.keys[""] | {"labels"} | asked.keys["redis"] | asked.keys["relay"]
    found = set(items(sections(RELAY)["settings"]))
    assert found | {"host", "labels", "relay"} == named
    assert set(items(sections(HUB)["settings"])) == asked.keys["hub"]


VARIANTS: dict[str, list[dict[str, Any]]] = {
    "node-sync": [{"url": "x", "reference": "x"}, {}],
    "indexer-sync": [{"flavor": name, "node": "x", "source": "x"}
                     for name in ("simply-kaspa", "kasia", "k-indexer")],
    "database-migration": [{"tool": name} for name in ("sql", "alembic")],
}  # fmt: skip


@pytest.mark.parametrize("name", [each.name for each in TYPES.values()])
def test_every_definition_key_is_explained(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a type's parser asks for, and no others; the header's too."""
    asked = Asked(monkeypatch)
    for checker in VARIANTS.get(name, [{}]):
        table = {"type": name, "service": "s", "checker": checker, "on_complete": {}}
        parse_definition(table, TYPES, origin=Origin.ADMIN, style="toml", id="a")
    page = sections(TASKS)
    assert set(items(page["keys"])) == asked.keys[""]
    assert set(items(page[name])) == asked.keys.get("checker", set())
    assert asked.keys["on_complete"] == {"command"}


def test_exit_codes_are_the_contracts() -> None:
    """Each of the two programs; argparse's 2 is the daemon's too."""
    contract = (ROOT / "docs" / "contract.md").read_text()
    (row,) = re.findall(r"^\| exit codes \| (.+) \|$", contract, re.MULTILINE)
    daemon, client, notifier, relay, hub = (
        set(re.findall(r"\b\d+\b", part)) for part in re.split("client:|notifier:|relay:|hub:", row)
    )
    assert set(items(sections(RELAY)["exit status"])) == relay | {"2"}
    assert set(items(sections(HUB)["exit status"])) == hub | {"2"}
    assert set(items(sections(NOTIFIER)["exit status"])) == notifier | {"2"}
    assert set(items(sections(DAEMON)["exit status"])) == daemon | {"2"}
    assert set(items(sections(CLIENT)["exit status"])) == client


@needs_scdoc
@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_what_is_installed_was_made_of_the_page(page: Path) -> None:
    """After a change of a page: python docs/man/generate.py, with scdoc."""
    made = (ROOT / "packaging" / "man" / page.stem).read_text()
    fresh = generated().roff(page.read_text())
    (by, text), (now, wanted) = (each.split("\n", 1) for each in (made, fresh))
    if by != now:
        pytest.skip(f"another scdoc than the one here: {by[4:]}")
    assert text == wanted


@needs_scdoc
@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_they_render_without_warnings(page: Path, tmp_path: Path) -> None:
    """By man and, where it is, by mandoc; each line fits 80 columns."""
    rendered = tmp_path / page.stem
    with page.open("rb") as source, rendered.open("wb") as target:
        subprocess.run(["scdoc"], stdin=source, stdout=target, check=True)
    if shutil.which("mandoc"):
        lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", rendered], capture_output=True)
        told = lint.stdout.decode().splitlines()
        # scdoc writes an empty paragraph around each item
        assert [line for line in told if "skipping paragraph macro: PP" not in line] == []
    if shutil.which("man") is None:
        pytest.skip("man is not installed: apt install man-db")
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}
    shown = subprocess.run(["man", "--warnings", "-l", rendered], capture_output=True, env=env)
    assert shown.stderr.decode() == ""
    text = re.sub(r".\x08|\x1b\[[0-9;]*m", "", shown.stdout.decode())
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "\\" not in text
