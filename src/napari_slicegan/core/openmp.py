"""How long threads of OpenMP that wait for each other keep their cores.

They wait by spinning: milliseconds in GNU's library, a fifth of a second in LLVM's and Intel's. On a quiet machine that
is fast; as soon as anything else runs, they hold cores that the thread needs which they wait for, and a training slows
down to a third or less. A short wait leaves half of the speed to a training that has lost one of two cores, and costs a
fifth of a quiet machine's where updates take milliseconds, nothing where they are long (``benchmarks/threads.py``).
"""

from __future__ import annotations

import math
import os
import sys
import threading

#: What the libraries read when they are loaded: GNU's (torch on Linux) in spins, the others in milliseconds.
SHORT = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "0"}
_POLICY = "OMP_WAIT_POLICY"
_VALUES = 2**16  # that torch does not leave to one thread


def wait_briefly() -> None:
    """Let threads wait for a short time only, unless the user has said how they are to wait.

    It has to be said before torch is loaded. Where it comes too late, GNU's library can still be told otherwise.
    """
    if _POLICY in os.environ:
        return
    is_late = "torch" in sys.modules and "GOMP_SPINCOUNT" not in os.environ
    for name, value in SHORT.items():
        os.environ.setdefault(name, value)
    if is_late and sys.platform == "linux":
        _crowd()


def _crowd() -> None:
    """Keep more threads than there are cores, all asleep: GNU's library then spins 100 times only.

    It makes threads for each thread that computes, and keeps them for as long as that one lives.
    """
    import torch

    team, cores = torch.get_num_threads(), len(os.sched_getaffinity(0))
    if team == 1 or 2 * team < cores:  # nobody waits, or there are cores for all
        return
    count = math.ceil(cores / (team - 1))
    are_made = threading.Barrier(count + 1)

    def keep() -> None:
        torch.ones(_VALUES * team)
        are_made.wait()  # a thread that is inside torch when Python ends would abort the process
        threading.Event().wait()

    for _ in range(count):
        threading.Thread(target=keep, name="napari-slicegan-openmp", daemon=True).start()
    are_made.wait()
