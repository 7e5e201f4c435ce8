"""Asks the daemon's own rules about a definition file that is not in its place yet.

They are no part of the client, so they run as a program of their own; no daemon need run for it.
"""

from __future__ import annotations

import json
import os
import sys

from kaspad_taskd.cli.faults import Fault

TYPE_CHECKING = False  # importing typing would cost a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PATIENCE = 60.0  # seconds
_BOOT = """
import sys
sys.path.insert(0, sys.argv[1])
from kaspad_taskd.daemon.proposed import main
sys.exit(main())
"""
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


def judge(info: Mapping[str, Any] | None, **request: Any) -> dict[str, Any]:
    """Return `{id, toml, faults, warnings}` of a file, or of a registration.

    Args:
        info: of the daemon, as `getInfo` answers: where its files are; None: at the usual places.
        request: `file`, a path whose stem is the id, or `body`, as `registerTask` takes it.

    Raises:
        Fault: `unchecked`, with why.
    """
    from subprocess import SubprocessError
    from subprocess import run as run_program

    asked = json.dumps({**_places(info or {}), **request}).encode()
    # -P: a directory of that name where somebody happens to stand is not ours
    command = [sys.executable, "-P", "-c", _BOOT, _ROOT]
    try:
        done = run_program(
            command, input=asked, capture_output=True, timeout=_PATIENCE, check=False
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, SubprocessError) as error:
        raise Fault("unchecked", why=str(error)) from None
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Fault("unchecked", why=" ".join(last) or f"exit {done.returncode}") from None
    return answer


def _places(info: Mapping[str, Any]) -> dict[str, Any]:
    state = str((info.get("store") or {}).get("path") or "").rpartition("/")[0]
    return {
        "settings": info.get("settingsFile"),
        "directories": info.get("definitionDirs"),
        "mirror": f"{state}/tasks.d" if state else None,
    }
