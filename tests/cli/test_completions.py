"""The committed shell completions: what the parsers say, and at work in the shells."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "packaging" / "completions"
STUB = "kaspad-taskctl() { echo node-sync-a; echo report-b; }\n"


def _script() -> dict[str, str]:
    pytest.importorskip("shtab")
    spec = importlib.util.spec_from_file_location("generate", HERE / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[str, str] = module.completions()
    return made


def test_they_are_what_the_parsers_say() -> None:
    """After a change of the options: python packaging/completions/generate.py."""
    assert {name: (HERE / name).read_text() for name in _script()} == _script()


def _bash(*words: str) -> list[str]:
    script = (
        f"{STUB} source {HERE / 'kaspad-taskctl.bash'};"
        f"COMP_WORDS=(kaspad-taskctl {' '.join(words)!s}); COMP_CWORD={len(words)};"
        'COMP_LINE="${COMP_WORDS[*]}"; _shtab_kaspad_taskctl; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_verbs_options_and_tasks() -> None:
    """Verbs, then a verb's options, then the ids that the daemon knows."""
    assert _bash("sta") == ["status", "start"]
    assert _bash("wait", "--ti") == ["--timeout"]
    assert _bash("status", "no") == ["node-sync-a"]
    assert _bash("list", "--color", "ne") == ["never"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh")
def test_zsh_can_read_its_own() -> None:
    """The file is well-formed."""
    subprocess.run(["zsh", "-n", str(HERE / "_kaspad-taskctl")], check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_completes_verbs_and_tasks(tmp_path: Path) -> None:
    """Fish tells what it would complete."""
    program = tmp_path / "kaspad-taskctl"
    program.write_text("#!/bin/sh\necho node-sync-a\necho report-b\n")
    program.chmod(0o755)
    env = {**os.environ, "HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def completed(line: str) -> set[str]:
        script = f"source {HERE / 'kaspad-taskctl.fish'}; complete -C '{line}'"
        done = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True,
                              env=env)  # fmt: skip
        return {row.split("\t")[0] for row in done.stdout.splitlines()}

    assert completed("kaspad-taskctl sta") == {"status", "start"}
    assert "node-sync-a" in completed("kaspad-taskctl wait ")
