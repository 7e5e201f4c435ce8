"""`kaspad-taskctl edit`: a real editor on a copy, and a file that is whole, sound, or as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran
from tests.fakes.patience import PATIENCE
from tests.fakes.taskd import ScriptedTaskd

Ctl = Callable[..., Ran]
NOBODY = 65534
SOUND = 'type = "report"\nservice = "import"\n'


class Files:
    """The daemon's directories, what it says of them, and an editor that does as it is told."""

    def __init__(self, place: Path, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch) -> None:
        self.vendor, self.admin, self.tmp = (place / name for name in ("usr", "etc", "tmp"))
        for each in (self.vendor, self.admin, self.tmp):
            each.mkdir(mode=0o755)
        self._place, self._taskd, self._monkeypatch = place, taskd, monkeypatch
        monkeypatch.setattr(tempfile, "tempdir", str(self.tmp))
        monkeypatch.delenv("VISUAL", raising=False)
        taskd.answers["getInfo"] = {
            "settingsFile": str(place / "none.toml"), "store": {"path": str(place / "s/state.db")},
            "definitionDirs": [str(self.vendor), str(self.admin)],
        }  # fmt: skip
        (place / "none.toml").touch()
        answer = {"added": [], "changed": ["import"], "removed": [], "faults": []}
        taskd.answers["reload"] = {**answer, "needRestart": []}

    def define(self, directory: Path, text: str = SOUND, **more: Any) -> Path:
        """Let there be a definition."""
        file = directory / "import.toml"
        file.write_text(text)
        origin = "vendor" if directory == self.vendor else "admin"
        one = {"id": "import", "type": "report", "origin": origin, "directory": str(directory),
               "file": str(file), "state": "ok", "faults": [], **more}  # fmt: skip
        self._taskd.answers["listDefinitions"] = [one]
        return file

    def editor(self, script: str) -> None:
        """Let $EDITOR run a shell's script, with the file as $1."""
        program = self._place / "an editor"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        self._monkeypatch.setenv("EDITOR", f"'{program}' --wait")

    @property
    def left(self) -> list[str]:
        """What is left where copies are made."""
        return [path.name for path in self.tmp.iterdir()]


@pytest.fixture
def files(tmp_path: Path, taskd: ScriptedTaskd, monkeypatch: pytest.MonkeyPatch) -> Files:
    place = tmp_path / "place"
    place.mkdir(mode=0o755)
    return Files(place, taskd, monkeypatch)


def test_a_file_takes_its_place_and_is_reloaded(
    ctl: Ctl, taskd: ScriptedTaskd, files: Files
) -> None:
    """With its mode; what the editor had was a copy, closed to others, and is gone."""
    file = files.define(files.admin)
    file.chmod(0o640)
    before = file.stat().st_ino
    files.editor(f'stat -c %a "$(dirname "$2")" > {files.admin}/.seen; '
                 """printf 'interval = "20s"\\n' >> "$2" """)  # fmt: skip
    code, out, err = ctl("edit", "import")
    assert (code, err) == (0, "")
    assert " ".join(out.split()) == f"{file} is written changed import"
    assert file.read_text() == SOUND + 'interval = "20s"\n'
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.stat().st_ino != before, "it was written in place"
    assert (files.admin / ".seen").read_text() == "700\n"
    assert files.left == []
    assert taskd.times("reload") == 1
    assert {path.name for path in files.admin.iterdir()} == {"import.toml", ".seen"}


def test_a_packages_file_is_copied(ctl: Ctl, files: Files) -> None:
    """To the administrator's directory, made if need be; the package's stays as it is."""
    file = files.define(files.vendor)
    files.admin.rmdir()
    files.editor('echo "stall_after = \\"5min\\"" >> "$2"')
    assert ctl("edit", "import")[0] == 0
    assert file.read_text() == SOUND
    own = files.admin / "import.toml"
    assert own.read_text().endswith('stall_after = "5min"\n')
    assert own.stat().st_mode & 0o777 == 0o644


def test_nothing_typed_is_nothing_done(ctl: Ctl, taskd: ScriptedTaskd, files: Files) -> None:
    """No copy of a package's file, no reload."""
    files.define(files.vendor)
    files.editor("true")
    code, out, _err = ctl("edit", "import")
    assert (code, out) == (0, "nothing was changed\n")
    assert not (files.admin / "import.toml").exists()
    assert taskd.times("reload") == 0


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("""printf 'interval = "1ms"\\n' >> "$2" """, "import.toml: interval: "),
        ("""printf 'service = "b"\\n' >> "$2" """, "import.toml: is no TOML: "),
        ("""printf '\\377' >> "$2" """, "import.toml: is not UTF-8 text"),
        ("""printf 'after = ["other"]\\n' >> "$2" """, "none of them would ever start"),
        (': > "$2"', "import.toml: "),
    ],
)
def test_what_the_daemon_would_refuse_replaces_nothing(
    ctl: Ctl, taskd: ScriptedTaskd, files: Files, script: str, said: str
) -> None:
    """Every fault with its key; what was typed is kept, and where is said."""
    file = files.define(files.admin)
    (files.vendor / "other.toml").write_text(
        'type = "report"\nservice = "other"\nafter = ["import"]\n'
    )
    files.editor(script)
    code, out, err = ctl("edit", "import")
    assert (code, out) == (1, "")
    assert said in err
    assert file.read_text() == SOUND
    assert taskd.times("reload") == 0
    (kept,) = files.left
    assert err.rstrip().endswith(kept)
    assert (files.tmp / kept).read_bytes() != SOUND.encode()


def test_faults_of_others_are_not_its_own(ctl: Ctl, files: Files) -> None:
    """A bad file beside it does not hold it up; nor does a mask, and a faulty one can be mended."""
    file = files.define(files.admin, "type = 3\n", state="last-good")
    (files.admin / "bad.toml").write_text("type = 4\n")
    (files.admin / "masked.toml").symlink_to("/dev/null")
    files.editor(f"cat > \"$2\" <<'X'\n{SOUND}X")
    assert ctl("edit", "import")[0] == 0
    assert file.read_text() == SOUND


def test_an_editor_that_fails_changes_nothing(ctl: Ctl, files: Files) -> None:
    """As `:cq` of vi asks for."""
    file = files.define(files.admin)
    files.editor('echo >> "$2"; exit 3')
    code, _out, err = ctl("edit", "import")
    assert (code, "ended with 3" in err) == (1, True)
    assert file.read_text() == SOUND
    assert files.left == []


def test_who_wrote_it_meanwhile_is_not_overwritten(ctl: Ctl, files: Files) -> None:
    """Theirs stays, and so does what was typed."""
    file = files.define(files.admin)
    files.editor(f'echo "# mine" >> "$2"; echo "# theirs" >> {files.admin}/import.toml')
    code, _out, err = ctl("edit", "import")
    assert (code, "somebody else" in err) == (1, True)
    assert file.read_text() == SOUND + "# theirs\n"
    (kept,) = files.left
    assert (files.tmp / kept).read_text() == SOUND + "# mine\n"


def test_visual_comes_first_and_none_is_said(
    ctl: Ctl, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """$VISUAL, then $EDITOR; a program that is not there is named, with what to type."""
    files.define(files.admin)
    files.editor('echo "# edited" >> "$2"')
    monkeypatch.setenv("VISUAL", "/nowhere/editor --fast")
    code, _out, err = ctl("edit", "import")
    assert code == 1
    assert "/nowhere/editor" in err
    assert "EDITOR=nano kaspad-taskctl edit import" in err


def test_what_has_no_file_of_its_own(ctl: Ctl, taskd: ScriptedTaskd, files: Files) -> None:
    """Registered: `set`. Masked: unmask. Unknown: the names that there are."""
    files.editor("exit 9")
    files.define(files.admin, origin="api")
    assert "kaspad-taskctl set import interval=20s" in ctl("edit", "import")[2]
    files.define(files.admin, state="masked")
    assert "kaspad-taskctl definitions unmask import" in ctl("edit", "import")[2]
    code, _out, err = ctl("edit", "nobody")
    assert (code, "there is no task nobody" in err) == (1, True)


def test_a_link_of_the_administrators_stays_a_link(ctl: Ctl, files: Files, tmp_path: Path) -> None:
    """What it points to is replaced."""
    file = files.define(files.admin)
    elsewhere = tmp_path / "kept"
    elsewhere.mkdir(mode=0o755)
    real = elsewhere / "import.toml"
    file.rename(real)
    file.symlink_to(real)
    files.editor('echo "# edited" >> "$2"')
    assert ctl("edit", "import")[0] == 0
    assert file.is_symlink()
    assert real.read_text().endswith("# edited\n")


PLACING = f"""
import os, sys
from kaspad_taskd.cli.placing import may_place
import kaspad_taskd.words.table, pwd
from kaspad_taskd.cli.faults import Fault
if sys.argv[2] != "0":
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
try:
    may_place(sys.argv[1], "import")
except Fault as fault:
    print("\\n".join(fault.said()))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user: run it as root")
def test_who_may_not_write_there_is_told_before_typing() -> None:
    """With sudo in the cure; and root writes nothing into a directory of somebody else's."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        place = Path(made)
        place.chmod(0o755)

        def told(uid: int, name: str = "new") -> str:
            command = [sys.executable, "-c", PLACING, f"{made}/{name}/import.toml", str(uid)]
            return subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=PATIENCE
            ).stdout

        assert "sudo kaspad-taskctl edit import" in told(NOBODY)
        assert told(0) == ""
        place.chmod(0o777)
        assert f"chmod go-w {made}" in told(0)
        assert told(NOBODY) == ""
        place.chmod(0o755)
        os.chown(place, NOBODY, NOBODY)
        assert "sudo -u nobody kaspad-taskctl edit import" in told(0)
        assert told(NOBODY) == ""
        (place / "deep").mkdir(mode=0o755)  # root's, in a directory of somebody else's
        assert "is not root's alone" in told(0, "deep")


def test_json_is_the_answer_of_the_reload(ctl: Ctl, files: Files) -> None:
    """One document and nothing else."""
    files.define(files.admin)
    files.editor('echo "# edited" >> "$2"')
    code, out, _err = ctl("edit", "import", "--json")
    assert (code, json.loads(out)["changed"]) == (0, ["import"])
