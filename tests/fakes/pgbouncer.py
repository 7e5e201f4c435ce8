"""A real pgbouncer on a loopback port before a real PostgreSQL, as another user than root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from typing import Any

from tests.fakes.bridged import free_port
from tests.fakes.patience import PATIENCE
from tests.fakes.postgres import Postgres

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MISSING = "pgbouncer is not installed: apt-get install pgbouncer"
OURS = (
    "default_transaction_read_only,statement_timeout,lock_timeout,"
    "idle_in_transaction_session_timeout,jit"
)
"""What our sessions ask for, which it refuses unless it is told to ignore it."""


class Pgbouncer:
    """One pooler; `mode` is its pool_mode, `ignores` what it drops of a client's wishes."""

    def __init__(self, server: Postgres, mode: str, ignores: str = OURS) -> None:
        assert PROGRAM is not None
        self.port = free_port()
        self._home = server.home / f"pooler-{self.port}"
        self._home.mkdir()
        users, settings = self._home / "users", self._home / "pgbouncer.ini"
        users.write_text('"watcher" "right word"\n')
        settings.write_text(
            f"[databases]\n* = host={server.home} port={server.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = plain\nauth_file = {users}\npool_mode = {mode}\n"
            f"ignore_startup_parameters = extra_float_digits,{ignores}\n"
        )
        who: dict[str, Any] = {}
        owner = server.home.stat()
        if os.geteuid() == 0:
            who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        self._log = self._home / "log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, str(settings)], stdout=log, stderr=log, cwd="/", **who
            )
        self._await()

    def _await(self) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < until, self._log.read_text()
                time.sleep(0.02)

    def dsn(self, database: str, password: str = "right word", user: str = "watcher") -> str:
        secret = password.replace(" ", "%20")
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
