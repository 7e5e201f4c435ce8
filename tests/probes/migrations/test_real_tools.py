"""Real tools of npm migrate a real database, well and with a failure, while it is looked at."""

from __future__ import annotations

import asyncio
import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kaspad_taskd.core.observation import Reading
from tests.fakes.node_packages import Missing, install
from tests.probes.migrations.databases import Place

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PACKAGES = {
    "dbmate": "2.36.0", "knex": "3.3.0", "pg": "8.23.1", "reflect-metadata": "0.2.2",
    "typeorm": "1.1.1",
}  # fmt: skip
FAILS = "SELECT 1/0"


@dataclass(frozen=True)
class Tool:
    """How a tool is told what to do: its files, what a migration's file holds, how it is run."""

    setting: Callable[[Place], dict[str, str]]
    file: Callable[[int, str], tuple[str, str]]
    command: Callable[[Path, Place], list[str]]
    version: Callable[[int], str]


def bin_of(packages: Path, name: str) -> str:
    return str(packages / "node_modules" / ".bin" / name)


def connection(place: Place) -> str:
    found = {"host": str(place.server.home), "port": place.server.port, "user": "admin"}
    return json.dumps({**found, "database": place.name})


def source(place: Place) -> str:
    return f"""require('reflect-metadata'); const {{ DataSource }} = require('typeorm');
const told = {connection(place)};
module.exports = new DataSource({{ ...told, username: told.user, type: 'postgres', entities: [],
  migrations: [__dirname + '/migrations/*.js'] }});"""


def entity(number: int, sql: str) -> str:
    return f"""module.exports = class S{number} {{ name = 'S{number}';
async up(q) {{ await q.query(`{sql}`) }} async down() {{}} }}"""


TOOLS = {
    "knex": Tool(
        lambda place: {
            "knexfile.js": f"module.exports = {{client: 'pg', connection: {connection(place)}}}"
        },
        lambda n, sql: (
            f"migrations/{n}_s.js",
            f"exports.up = async k => {{ await k.raw(`{sql}`) }}; exports.down = () => {{}}",
        ),
        lambda packages, _: [bin_of(packages, "knex"), "migrate:latest"],
        lambda n: f"{n}_s",
    ),
    "typeorm": Tool(
        lambda place: {"source.js": source(place)},
        lambda n, sql: (f"migrations/{n}-s.js", entity(n, sql)),
        lambda packages, _: [bin_of(packages, "typeorm"), "migration:run", "-d", "source.js"],
        lambda n: f"S{n}",
    ),
    "dbmate": Tool(
        lambda _: {},
        lambda n, sql: (f"db/migrations/{n}_s.sql", f"-- migrate:up\n{sql};\n-- migrate:down\n"),
        lambda packages, place: [
            str(packages / "node_modules" / "@dbmate" / f"linux-{MACHINE}" / "bin" / "dbmate"),
            "--no-dump-schema", "--url",
            f"postgres://admin@/{place.name}?socket={place.server.home}&port={place.server.port}",
            "up",
        ],
        str,
    ),
}  # fmt: skip
MACHINE: str = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "")
FIRST = 1767225600001


async def migrate(name: str, place: Place, folder: Path, packages: Path) -> int:
    command = TOOLS[name].command(packages, place)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "NODE_PATH": str(packages / "node_modules")},
    )  # fmt: skip
    said, _ = await process.communicate()
    print(said.decode())
    return process.returncode or 0


@pytest.mark.parametrize("name", sorted(TOOLS))
async def test_a_real_tool_is_read_before_amid_and_after(
    place: Place, tmp_path: Path, name: str
) -> None:
    """Nothing yet, one of two, both; one that fails leaves nothing, and nothing failed for us."""
    try:
        packages = install("migration-tools", PACKAGES)
    except Missing as why:
        pytest.skip(str(why))
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    tool = TOOLS[name]

    def write(number: int, sql: str) -> None:
        path, text = tool.file(FIRST + number, sql)
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    for path, text in tool.setting(place).items():
        (tmp_path / path).write_text(text)
    probe = place.probe(tool=name, version=tool.version(FIRST + 1))
    assert [each.code for each in (await place.look(probe)).hints] == ["version-table-missing"]
    write(0, "CREATE TABLE one (n int)")
    assert await migrate(name, place, tmp_path, packages) == 0
    assert not (await place.look(probe)).complete
    write(1, "CREATE TABLE two (n int)")
    assert await migrate(name, place, tmp_path, packages) == 0
    found = await place.look(probe)
    assert (found.complete, found.metadata["applied"]) == (True, 2)
    write(2, FAILS)
    assert await migrate(name, place, tmp_path, packages) != 0
    later = await place.look(place.probe(tool=name, version=tool.version(FIRST + 2)))
    assert isinstance(later, Reading)
    assert (later.complete, later.metadata["applied"]) == (False, 2)
