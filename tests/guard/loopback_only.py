"""With this, a process reaches this computer alone: whatever else it looks for is refused and noted.

Names are looked up by the network too, so only this computer's own may be. Who listens on all addresses lets others in:
that is refused as well. The notes are kept in a file, since a program may well live with an address that it cannot
reach. What Python's own sockets do is seen here; tests/test_network.py counts what other code tries.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

NOTES = "LOOPBACK_ONLY_NOTES"
"""Variable of the environment with the file of the notes, one a line."""
FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  (pathlib is not needed by every process)
"""Whoever has it on the path of Python is watched from its start."""

_WITH_ADDRESS = {
    "socket.connect": 1,
    "socket.bind": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getnameinfo": 0,
}
_WITH_NAME = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def watch() -> None:
    """Begin; there is no end, since hooks cannot be taken away."""
    sys.addaudithook(_refuse_others)


def watched(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which new processes of Python are watched too."""
    return {**environment, "PYTHONPATH": os.pathsep.join([FOLDER, *_others_on_path(environment)])}


def unwatched(environment: Mapping[str, str]) -> dict[str, str]:
    """The same without that, for programs of others that ask who this computer is."""
    return {**environment, "PYTHONPATH": os.pathsep.join(_others_on_path(environment))}


def _others_on_path(environment: Mapping[str, str]) -> list[str]:
    return [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", FOLDER)]


def _refuse_others(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook: raise an error when somebody else would be reached."""
    if event in _WITH_ADDRESS:
        address = args[_WITH_ADDRESS[event]]
    elif event in _WITH_NAME:
        address = args[:1]
    else:
        return
    host = address[0] if isinstance(address, tuple) and address else None  # a socket of Unix has a path
    if isinstance(host, bytes | bytearray):
        host = host.decode(errors="replace")
    if isinstance(host, str) and not _is_here(host):
        note = f"{event} {host or 'all addresses'}"
        if path := os.environ.get(NOTES):
            with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123  (pathlib may not have been imported yet)
                file.write(f"{note}\n")
        raise PermissionError(f"Tests reach this computer alone, and this is not it: {note}")


def _is_here(host: str) -> bool:
    """Whether a host is this computer and is reached by nobody else."""
    import ipaddress  # here, since most processes never ask

    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"
