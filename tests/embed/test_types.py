"""A TypeScript program that uses all of it compiles strictly; one that misuses it does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kaspad_taskd.web.embed.src import bundle
from tests.fakes import npm

HERE = Path(__file__).parent
STRICT = [
    "--strict",
    "--noEmit",
    "--target",
    "es2022",
    "--module",
    "esnext",
    "--skipLibCheck",
    "false",
]
MORE = ["--moduleResolution", "bundler", "--exactOptionalPropertyTypes", "--lib", "es2023,dom"]


def compiled(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    (folder / "kaspad-taskd.js").write_text(bundle.SCRIPT.read_text())
    (folder / "kaspad-taskd.d.ts").write_text(bundle.TYPES.read_text())
    (folder / "program.ts").write_text(program)
    tsc = npm.modules() / "node_modules" / "typescript" / "bin" / "tsc"
    command = [npm.node(), str(tsc), *STRICT, *MORE, "program.ts"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_strict_program_compiles(tmp_path: Path) -> None:
    """Every call, event and component has a type that says what is so."""
    outcome = compiled(tmp_path, (HERE / "program.ts").read_text())
    assert outcome.stdout == ""
    assert outcome.returncode == 0


def test_a_wrong_program_does_not(tmp_path: Path) -> None:
    """A mistake is found by the compiler: a field, a parameter, a state that does not exist."""
    lines = (
        'import { TaskdClient, type Task } from "./kaspad-taskd.js";',
        "const client = new TaskdClient();",
        'client.call("getTask", { id: "x" });',
        'client.switchService("x", "elsewhere");',
        'const wrong = (task: Task) => task.status === "done";',
        'client.on("change", ({ after }) => after!.progress.toUpperCase());',
        "client.tasks.set;",
    )
    outcome = compiled(tmp_path, "\n".join(lines))
    found = {line.partition("(")[2].partition(",")[0] for line in outcome.stdout.splitlines()}
    assert {"3", "4", "5", "6", "7"} <= found
