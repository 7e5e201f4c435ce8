"""Certificates for tests of TLS, made by the real openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

EXTENSIONS = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
"""Python 3.13 asks for them."""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
CA = """
[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
default_md = sha256
rand_serial = yes
unique_subject = no
policy = named
[named]
commonName = supplied
"""
"""Of `openssl ca`: 3.0 has no other way to date a certificate back, and 3.5 makes none that ends
before it begins."""
AGE = timedelta(days=30)
"""How long a certificate has been good, or was before it expired."""


class Authority:
    """A certificate authority of its own in a folder: `ca` is its certificate."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed: apt install openssl")
        folder.mkdir(exist_ok=True)
        self._folder, self._name = folder, name
        self.ca = folder / f"{name}.pem"
        (folder / "ca.cnf").write_text(CA)
        (folder / "index").touch()
        self._openssl("req", "-x509", *KEY, "-subj", f"/CN={name}", "-days", "2",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", f"{name}.key", "-out", self.ca.name)  # fmt: skip

    def certify(self, name: str, hosts: str, days: int = 2) -> tuple[Path, Path]:
        """Return certificate and key for `hosts` ("DNS:localhost"); negative days: expired."""
        certificate, key = (self._folder / f"{name}.{kind}" for kind in ("crt", "key"))
        (self._folder / "extensions").write_text(EXTENSIONS + f"subjectAltName={hosts}\n")
        self._openssl("req", "-new", *KEY, "-subj", f"/CN={name}", "-out", "request",
                      "-keyout", key.name)  # fmt: skip
        now = datetime.now(UTC)
        self._openssl("ca", "-batch", "-config", "ca.cnf", "-cert", self.ca.name,
                      "-keyfile", f"{self._name}.key", "-startdate", _date(now - AGE),
                      "-enddate", _date(now + timedelta(days)), "-in", "request", "-notext",
                      "-extfile", "extensions", "-out", certificate.name)  # fmt: skip
        return certificate, key

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)


def _date(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%SZ}"


def serving(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a server that shows a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
