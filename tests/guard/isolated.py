"""Run a program where there is no network but loopback, and note how often it has looked for another one.

    unshare --map-root-user --net python isolated.py NOTES PROGRAM...

Linux only. The kernel counts what it could not send because no way leads there, and what was sent to a port of this
computer where nobody listens, as a name that is asked for is: whoever tried it, Python's sockets or the code of a
library.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
from pathlib import Path

SET_FLAGS, UP_AND_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


def switch_loopback_on() -> None:
    """Without this not even loopback is there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", UP_AND_RUNNING))


def sent_nowhere() -> int:
    """How often something should have been sent to where nobody is, by either version of the protocol."""
    older, newer = (Path("/proc/net", name).read_text().splitlines() for name in ("snmp", "snmp6"))
    counts = dict(line.split() for line in newer)
    for names, numbers in zip(older[::2], older[1::2], strict=True):
        protocol, *names = names.split()
        counts |= {protocol + name: number for name, number in zip(names, numbers.split()[1:], strict=True)}
    wanted = ("Ip:OutNoRoutes", "Udp:NoPorts", "Ip6OutNoRoutes", "Udp6NoPorts")
    return sum(int(counts.get(name, 0)) for name in wanted)


if __name__ == "__main__":
    switch_loopback_on()
    before = sent_nowhere()  # the kernel says hello by itself
    code = subprocess.run(sys.argv[2:], check=False).returncode
    if tried := sent_nowhere() - before:
        with Path(sys.argv[1]).open("a", encoding="utf-8") as notes:
            notes.write(f"the kernel counted {tried} that reached nobody\n")
    sys.exit(code)
