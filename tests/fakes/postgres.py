"""A real PostgreSQL on a Unix socket and a loopback port of its own, as another user than root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from tests.fakes.bridged import free_port
from tests.fakes.patience import PATIENCE

HBA = """
local all,replication admin trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "maintenance_work_mem": "4MB",
    "max_parallel_maintenance_workers": "0",
    "max_connections": "40",
    "max_prepared_transactions": "4",
}


@contextmanager
def serving(programs: Path) -> Iterator[Postgres]:
    """A server that is made and started, and removed in the end."""
    server = Postgres(programs)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


class Postgres:
    """One server with the superuser `admin`, who needs no password on its socket.

    `programs`: the folder with `postgres` and `initdb`.
    """

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.port = free_port()
        self.home = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self.home.chmod(0o755)
        self._who: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._who |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._owned(self.home)
        self._data = self.home / "data"
        self._log = self.home / "log"
        self._server: subprocess.Popen[bytes] | None = None

    def _owned(self, path: Path) -> None:
        if "user" in self._who:
            os.chown(path, self._who["user"], self._who["group"])

    def create(self) -> None:
        initdb = [str(self.programs / "initdb"), "-D", str(self._data), "-U", "admin", "--no-sync"]
        subprocess.run([*initdb, "--auth=trust", "-E", "UTF8", "--locale=C"], check=True,
                       stdout=subprocess.DEVNULL, **self._who)  # fmt: skip
        (self._data / "pg_hba.conf").write_text(HBA)

    def start(self) -> None:
        """Start it; who asks meanwhile is told so by the server itself."""
        given = [f"-c{key}={value}" for key, value in SETTINGS.items()]
        where = ["-D", str(self._data), "-k", str(self.home), "-p", str(self.port)]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [self.programs / "postgres", *where, *given], stdout=log, stderr=log, **self._who
            )
        until = time.monotonic() + PATIENCE
        while not (self.home / f".s.PGSQL.{self.port}").exists():
            assert self._server.poll() is None, self._log.read_text()
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.02)

    def wait_until_ready(self) -> None:
        """For programs that do not ask again: its socket is there before it takes anybody in."""
        until = time.monotonic() + PATIENCE
        state = self._data / "postmaster.pid"
        while state.read_text().split()[-1:] != ["ready"]:
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

    def standby(self) -> Postgres:
        """Return a read replica that follows this one, which is stopped for a moment."""
        other = Postgres(self.programs)
        self.stop()
        subprocess.run(["cp", "-a", str(self._data), str(other._data)], check=True)
        self.start()
        (other._data / "standby.signal").touch()
        follow = f"host={self.home} port={self.port} user=admin"
        other._set(f"primary_conninfo = '{follow}'\n")
        other.start()
        return other

    async def show(self, certificate: Path | None, key: Path | None = None) -> None:
        """Take up TLS with a certificate (None: no TLS any more) for new connections."""
        told = "off"
        if certificate is not None and key is not None:
            told = f"{certificate.stem}-{time.monotonic_ns()}"
            for file, kind in ((certificate, "crt"), (key, "key")):
                copy = self._data / f"{told}.{kind}"
                shutil.copyfile(file, copy)
                copy.chmod(0o600)
                self._owned(copy)
        files = f"ssl_cert_file = '{told}.crt'\nssl_key_file = '{told}.key'\n"
        self._set("ssl = off\n" if certificate is None else f"ssl = on\n{files}")
        assert self._server is not None
        self._server.send_signal(signal.SIGHUP)
        wanted = "off" if certificate is None else f"{told}.crt"
        asked = "ssl" if certificate is None else "ssl_cert_file"
        until = time.monotonic() + PATIENCE
        while True:  # a new session has what its server has
            session = await self.admin()
            found = await session.fetchval(f"SHOW {asked}")
            session.terminate()
            if found == wanted:
                return
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.02)  # noqa: ASYNC251 - nothing else runs meanwhile

    def _set(self, settings: str) -> None:
        (self._data / "postgresql.auto.conf").write_text(settings)

    async def admin(self, database: str = "postgres") -> asyncpg.Connection[Any]:
        """Connect as the superuser, once the server takes connections."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return await asyncpg.connect(
                    host=str(self.home), port=self.port, user="admin", database=database, timeout=5
                )
            except (OSError, asyncpg.PostgresError):
                assert time.monotonic() < until, self._log.read_text()
                time.sleep(0.02)  # noqa: ASYNC251 - nothing else runs meanwhile

    def dsn(
        self,
        database: str,
        user: str = "watcher",
        password: str | None = "right word",
        host: str | None = None,
        **more: object,
    ) -> str:
        """The DSN for its socket, or for `host`; `more` are parameters."""
        secret = "" if password is None else ":" + password.replace(" ", "%20")
        given = {"host": host or self.home, "port": self.port, **more}
        told = "&".join(f"{key}={value}" for key, value in given.items())
        return f"postgresql://{user}{secret}@/{database}?{told}"
