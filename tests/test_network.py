"""Nothing is asked of another computer, and nothing is sent to one: not by the program, not by what it stands on.

What Python's sockets do is watched in all tests (tests/guard). Here the program also runs where Linux knows no network
but loopback, if the system lets its users make such a place, and the kernel counts what was meant for elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guard.loopback_only import NOTES

ROOT = Path(__file__).parent.parent
GUARD = ROOT / "tests" / "guard"
PLACE = ["unshare", "--map-root-user", "--net"]
ISOLATES = (
    sys.platform == "linux"
    and shutil.which("unshare") is not None
    and subprocess.run([*PLACE, "true"], capture_output=True, check=False).returncode == 0
)

ATTEMPTS = {
    "a connection": "socket.create_connection(('192.0.2.1', 80), 1)",
    "a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 80))",
    "a datagram in parts": "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b''], [], 0, ('192.0.2.1', 80))",
    "the newer protocol": "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
    "a name": "socket.getaddrinfo('example.org', 80)",
    "a name in the old way": "socket.gethostbyname('example.org')",
    "an address for its name": "socket.gethostbyaddr('192.0.2.1')",
    "a name of bytes": "socket.getaddrinfo(b'example.org', 80)",
    "listening to all": "socket.socket().bind(('', 0))",
    "listening to all, spelt out": "socket.socket().bind(('0.0.0.0', 0))",
}
OF_OTHER_CODE = {
    "a connection": (1, "192.0.2.1", 80),
    "a datagram": (2, "192.0.2.1", 53),
    "a name that this computer is asked for": (2, "127.0.0.53", 53),
}


def looked_for(folder: Path, *program: str | Path) -> list[str]:
    """Run a program of Python in a folder, and tell what it has looked for beyond this computer."""
    notes = folder / "notes.txt"
    notes.touch()
    place = [*PLACE, sys.executable, GUARD / "isolated.py", notes] if ISOLATES else []
    path = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])  # which has the guard
    result = subprocess.run(
        [*place, sys.executable, *program],
        cwd=folder,
        env={**os.environ, NOTES: str(notes), "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return notes.read_text(encoding="utf-8").splitlines()


def test_attempts_are_refused_and_noted(tmp_path):
    tries = [f"with pytest.raises(PermissionError, match='this computer alone'): {code}" for code in ATTEMPTS.values()]
    notes = looked_for(tmp_path, "-c", "\n".join(["import socket, pytest", *tries]))
    assert len(notes) == len(ATTEMPTS)
    assert all(note.startswith("socket.") for note in notes)


@pytest.mark.parametrize("kind", list(OF_OTHER_CODE) * ISOLATES)
def test_what_python_does_not_see_is_counted(tmp_path, kind):
    way, host, port = OF_OTHER_CODE[kind]
    code = f"""
import ctypes, socket, struct
c = ctypes.CDLL(None)
handle = c.socket(2, {way}, 0)
c.connect(handle, struct.pack("=H", 2) + struct.pack("!H4s8x", {port}, socket.inet_aton("{host}")), 16)
c.send(handle, b"hello", 5, 0)
"""
    assert looked_for(tmp_path, "-c", code) == ["the kernel counted 1 that reached nobody"]


def test_this_computer_may_be_reached(tmp_path):
    code = """import socket
with socket.create_server(("localhost", 0)) as server, socket.create_connection(server.getsockname()) as client:
    client.sendall(b"hello")
"""
    assert looked_for(tmp_path, "-c", code) == []


def test_no_command_looks_for_another_computer(tmp_path):
    assert looked_for(tmp_path, GUARD / "commands.py") == []
    assert {path.name for path in tmp_path.iterdir()} >= {"run", "volume.tif", "report", "imported.safetensors"}


def test_no_dock_looks_for_another_computer(tmp_path):
    assert looked_for(tmp_path, GUARD / "docks.py") == []
    assert list(tmp_path.glob("runs/*/model.safetensors"))
