"""Kernels started by the tests may speak to this machine only: a notebook must run offline."""

import ipaddress
import socket


def _is_local(address: object) -> bool:
    """True for loopback addresses, Unix sockets and names that mean this machine."""
    host = address[0] if isinstance(address, tuple) else "localhost"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


def _guard(name: str) -> None:
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, address: object) -> object:
        if not _is_local(address):
            raise OSError(f"the tests run without a network; a cell tried to reach {address!r}")
        return original(self, address)

    setattr(socket.socket, name, guarded)


for _name in ("connect", "connect_ex"):
    _guard(_name)
del _name
