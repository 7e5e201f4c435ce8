"""Certificates for tests of TLS, made by the real openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

EXTENSIONS = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
"""Python 3.13 asks for them."""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Authority:
    """A certificate authority of its own in a folder: `ca` is its certificate."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed: apt install openssl")
        folder.mkdir(exist_ok=True)
        self._folder, self._name = folder, name
        self.ca = folder / f"{name}.pem"
        self._openssl("req", "-x509", *KEY, "-subj", f"/CN={name}", "-days", "2",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", f"{name}.key", "-out", self.ca.name)  # fmt: skip

    def certify(self, name: str, hosts: str, days: int = 2) -> tuple[Path, Path]:
        """Return certificate and key for `hosts` ("DNS:localhost"); negative days: expired."""
        certificate, key = (self._folder / f"{name}.{kind}" for kind in ("crt", "key"))
        (self._folder / "extensions").write_text(EXTENSIONS + f"subjectAltName={hosts}\n")
        self._openssl("req", "-new", *KEY, "-subj", f"/CN={name}", "-out", "request",
                      "-keyout", key.name)  # fmt: skip
        self._openssl("x509", "-req", "-in", "request", "-CA", self.ca.name, "-days", str(days),
                      "-CAkey", f"{self._name}.key", "-CAcreateserial",
                      "-extfile", "extensions", "-out", certificate.name)  # fmt: skip
        return certificate, key

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)


def serving(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a server that shows a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
