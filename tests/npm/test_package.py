"""The package as it is installed: both kinds of modules, the types, the program of the README."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import npm
from tests.fakes.bridged import line_of
from tests.fakes.node_packages import Missing, install
from tests.fakes.taskd_process import Taskd
from tests.npm.here import HERE, PACKAGE, ROOT, node_tests, said_by

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def run(folder: Path, *command: str) -> str:
    """What a program says on both streams; a failure fails the test."""
    outcome = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the package is installed, from what `npm pack` makes."""
    npm.node()
    program = npm.npm()
    place = tmp_path_factory.mktemp("npm")
    packed = json.loads(run(PACKAGE, program, "pack", "--json", "--pack-destination", str(place)))
    folder = place / "node_modules" / "kaspad-taskd"
    folder.mkdir(parents=True)
    archive = place / packed[0]["filename"]
    run(place, "tar", "-xf", str(archive), "--strip-components=1", "-C", str(folder))
    return place


def test_both_kinds_of_modules_have_the_same_classes(installed: Path) -> None:
    """`instanceof` holds, whichever way the two halves of a program came by them."""
    both_kinds(npm.node(), installed)


def both_kinds(node: str, folder: Path) -> None:
    """Import and require it in one program."""
    (folder / "both.mjs").write_text(
        'import { createRequire } from "node:module";\n'
        'import * as imported from "kaspad-taskd";\n'
        'const required = createRequire(import.meta.url)("kaspad-taskd");\n'
        "const { default: _all, ...named } = imported;\n"
        "for (const [name, one] of Object.entries(required))\n"
        "  if (named[name] !== one) throw new Error(`${name} is another one`);\n"
        "console.log(Object.keys(named).sort().join());"
    )
    names = run(folder, node, "both.mjs").strip().split(",")
    text = (PACKAGE / "index.d.ts").read_text()
    assert names == sorted(re.findall(r"^export class (\w+)", text, re.MULTILINE))


def test_strict_programs_compile_and_wrong_ones_do_not(installed: Path) -> None:
    """CommonJS and modules; a mistake is found in each line of wrong.ts but the first."""
    strict_types(npm.node(), installed)


def strict_types(node: str, folder: Path) -> None:
    """Compile what is right and what is wrong."""
    for suffix in ("cts", "mts"):
        shutil.copy(HERE / "program.ts", folder / f"program.{suffix}")
    shutil.copy(HERE / "wrong.ts", folder / "wrong.mts")
    tsc = npm.modules() / "node_modules" / "typescript" / "bin" / "tsc"
    command = [
        node, str(tsc), "--strict", "--noEmit", "--exactOptionalPropertyTypes",
        "--target", "es2022", "--lib", "es2023,dom", "--module", "nodenext",
        "program.cts", "program.mts", "wrong.mts",
    ]  # fmt: skip
    said = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    ).stdout
    found = re.findall(r"^(\S+)\((\d+),", said, re.MULTILINE)
    lines = len((HERE / "wrong.ts").read_text().splitlines())
    assert {(name, int(line)) for name, line in found} == {
        ("wrong.mts", line) for line in range(2, lines + 1)
    }, said


def test_what_debian_gets_is_what_npm_packs(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File by file; the archive beside them has the same, and is the same wherever it is made."""
    packed = installed / "node_modules" / "kaspad-taskd"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("deb", "again"):
        run(ROOT, sys.executable, "packaging/npm_pack.py", str(tmp_path / name))
    archive = tmp_path / "deb" / "kaspad-taskd.tgz"
    assert archive.read_bytes() == (tmp_path / "again" / "kaspad-taskd.tgz").read_bytes()
    run(tmp_path, "tar", "-xf", str(archive))
    archive.unlink()
    wanted = contents(packed)
    assert wanted.keys() >= {"package.json", "README.md", "index.cjs", "index.d.ts"}
    assert contents(tmp_path / "deb") == wanted
    assert contents(tmp_path / "package") == wanted


def contents(folder: Path) -> dict[str, bytes]:
    """Each file below a folder."""
    found = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in found}


def test_the_archive_is_installed_by_its_path(tmp_path: Path) -> None:
    """As the documents say, without a network; both kinds of modules find it then."""
    program = npm.npm()
    run(ROOT, sys.executable, "packaging/npm_pack.py", str(tmp_path / "deb"))
    (tmp_path / "package.json").write_text('{"private": true}')
    archive = str(tmp_path / "deb" / "kaspad-taskd.tgz")
    run(tmp_path, program, "install", "--offline", "--no-audit", "--no-fund", archive)
    (tmp_path / "a.mjs").write_text(
        'import { TaskdSocket } from "kaspad-taskd"; console.log(TaskdSocket.name);'
    )
    assert run(tmp_path, npm.node(), "a.mjs") == "TaskdSocket\n"


async def test_the_program_of_the_readme_runs(installed: Path, tmp_path: Path) -> None:
    """As it stands: it shows the tasks, and each that is completed."""
    await readme_runs(npm.node(), installed, tmp_path)


async def readme_runs(node: str, folder: Path, place: Path) -> None:
    """Run the program of the README in this folder, beside a daemon in that place."""
    found = re.search(
        r"```js\n(const \{ TaskdSocket.*?)```", (PACKAGE / "README.md").read_text(), re.S
    )
    assert found is not None
    assert len([line for line in found[1].splitlines() if line]) <= 10
    (folder / "readme.cjs").write_text(found[1])
    async with Taskd(place) as taskd:
        line = await taskd.start()
        await line.call("registerTask", type="report", service="import")
        process = await asyncio.create_subprocess_exec(
            node, "readme.cjs", cwd=folder, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "KASPAD_TASKD_SOCKET": str(taskd.socket)},
        )  # fmt: skip
        try:
            assert await line_of(process) == "import in-progress 0 %"
            await line.call("completeTask", taskId="report-import")
            said = [await line_of(process) for _ in range(2)]
            while said[-1] != "import complete 100 %":
                said.append(await line_of(process))
            assert "sync:complete import" in said
        finally:
            process.kill()
            await process.wait()
        await taskd.end()


VERSIONS = {"18": "18.20.8", "20": "20.20.2", "22": "22.23.3", "24": "24.21.0"}
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}


def node_of(major: str) -> str:
    """The newest Node of a line, from npm; skips where there is none for this machine."""
    machine = MACHINES.get(platform.machine())
    try:
        place = install(f"node-{major}", {f"node-linux-{machine}": VERSIONS[major]})
    except Missing as why:
        pytest.skip(str(why))
    return str(place / "node_modules" / f"node-linux-{machine}" / "bin" / "node")


@pytest.mark.long
@pytest.mark.parametrize("major", VERSIONS)
async def test_each_node_from_18_on(major: str, tmp_path: Path) -> None:
    """All that the package's own tests hold, on the newest of each line, from npm."""
    program = node_of(major)
    assert (await said_by(program, "--version")).strip() == f"v{VERSIONS[major]}"
    for script in ("socket", "pieces", "mirror", "order", "completions"):
        await node_tests(f"{script}.test.cjs", program=program)
    async with Taskd(tmp_path) as taskd:
        await taskd.start()
        for script in ("manager", "garbage"):
            await node_tests(
                f"{script}.test.cjs", program=program, KASPAD_TASKD_SOCKET=str(taskd.socket)
            )
        await taskd.end()


@pytest.mark.long
@pytest.mark.parametrize("major", VERSIONS)
async def test_a_newcomer_with_each_node(major: str, tmp_path: Path) -> None:
    """Packed, installed by its path: both kinds of modules, strict types, the README's program."""
    node, project = node_of(major), tmp_path / "project"
    project.mkdir()
    packed = json.loads(
        run(PACKAGE, npm.npm(), "pack", "--json", "--pack-destination", str(tmp_path))
    )
    (project / "package.json").write_text('{"private": true}')
    archive = str(tmp_path / packed[0]["filename"])
    run(project, npm.npm(), "install", "--offline", "--no-audit", "--no-fund", archive)
    both_kinds(node, project)
    strict_types(node, project)
    await readme_runs(node, project, tmp_path)
