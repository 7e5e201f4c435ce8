"""A real PostgreSQL on a Unix socket of its own, as another user than root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg

PATIENCE = 20.0
HBA = "local all admin trust\nlocal all all scram-sha-256\n"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "maintenance_work_mem": "4MB",
    "max_parallel_maintenance_workers": "0",
    "max_connections": "40",
}


def binary(name: str) -> str | None:
    """Return where a program of PostgreSQL is, or None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


class Postgres:
    """One server with the superuser `admin`, who needs no password on its socket."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self.home.chmod(0o755)
        self._who: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.home, nobody.pw_uid, nobody.pw_gid)
            self._who |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._data = self.home / "data"
        self._log = self.home / "log"
        self._server: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        initdb = [binary("initdb") or "", "-D", str(self._data), "-U", "admin", "--no-sync"]
        subprocess.run([*initdb, "--auth=trust", "-E", "UTF8", "--locale=C"], check=True,
                       stdout=subprocess.DEVNULL, **self._who)  # fmt: skip
        (self._data / "pg_hba.conf").write_text(HBA)

    def start(self) -> None:
        """Start it; who asks meanwhile is told so by the server itself."""
        given = [f"-c{key}={value}" for key, value in SETTINGS.items()]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [binary("postgres") or "", "-D", str(self._data), "-k", str(self.home), *given],
                stdout=log, stderr=log, **self._who,
            )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while not (self.home / ".s.PGSQL.5432").exists():
            assert self._server.poll() is None, self._log.read_text()
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(PATIENCE)
            self._server = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.home)

    async def admin(self, database: str = "postgres") -> asyncpg.Connection[Any]:
        """Connect as the superuser, once the server takes connections."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return await asyncpg.connect(
                    host=str(self.home), user="admin", database=database, timeout=5
                )
            except (OSError, asyncpg.PostgresError):
                assert time.monotonic() < until, self._log.read_text()
                time.sleep(0.02)  # noqa: ASYNC251 - nothing else runs meanwhile

    def dsn(self, database: str, user: str = "watcher", password: str = "right word") -> str:
        shown = password.replace(" ", "%20")
        return f"postgresql://{user}:{shown}@/{database}?host={self.home}"
