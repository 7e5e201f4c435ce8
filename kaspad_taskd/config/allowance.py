"""Where tasks that were registered over an API may connect to. Pure."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address, ip_network

from kaspad_taskd.config.settings import FILES, LOOPBACK, Address

Place = tuple[str, int]


class Allowance:
    """`allow_hosts`, with the places that files name.

    Args:
        allowed: of the settings.
        in_files: host and port of everything that definition files ask.
    """

    def __init__(self, allowed: Collection[Address], in_files: Collection[Place]) -> None:
        self._loopback = LOOPBACK in allowed
        listed = [each for each in allowed if each not in (LOOPBACK, FILES)]
        self._listed = {(each.host.lower(), each.port) for each in listed}
        if FILES in allowed:
            self._listed |= {(host.lower(), port) for host, port in in_files}
        self._networks = [each for each in listed if "/" in each.host]

    def knows(self, host: str, port: int) -> bool:
        """Whether this host is allowed by its name: then wherever the name leads."""
        host = host.lower()
        if self._loopback and host == "localhost":
            return True
        return (host, port) in self._listed or (host, None) in self._listed

    def address(self, ip: str, port: int) -> bool:
        """Whether this IP address, really connected to, is allowed."""
        try:
            found = ip_address(ip.split("%")[0])
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        found = mapped or found
        if self._loopback and found.is_loopback:
            return True
        return self.knows(str(found), port) or any(
            found in ip_network(each.host) and each.port in (None, port) for each in self._networks
        )

    def host(self, host: str, port: int) -> bool:
        """Whether a task may name this host: known by name, or an address that is allowed."""
        return self.knows(host, port) or self.address(host, port)
