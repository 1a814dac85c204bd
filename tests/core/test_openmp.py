"""How threads wait for each other, in interpreters of their own: what is said there is said once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from napari_slicegan.core.openmp import SHORT

NAMES = ("OMP_WAIT_POLICY", *SHORT)


def told_by(code: str, **environment: str) -> list[str]:
    """The words that a new interpreter prints, with only so much of the environment that is about waiting."""
    others = (*NAMES, "MKL_NUM_THREADS")  # which dask sets, for all that is started after it
    kept = {name: value for name, value in os.environ.items() if name not in others}
    result = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def waiting_after(statement: str, **environment: str) -> dict[str, str]:
    """What is said about waiting after a statement."""
    told = told_by(f"{statement}\nimport os\nprint(*(os.environ.get(name, '-') for name in {NAMES}))", **environment)
    return {name: value for name, value in zip(NAMES, told, strict=True) if value != "-"}


@pytest.mark.parametrize(
    "statement",
    [
        "import napari_slicegan.core",
        "import napari_slicegan.core.config",
        "from napari_slicegan import Trainer",
        "import napari_slicegan.cli",
        "import napari_slicegan.plugin.train.widget",
        "import napari_slicegan.plugin.generate.widget",
    ],
)
def test_threads_wait_briefly_wherever_the_package_is_used(statement: str):
    assert waiting_after(statement) == SHORT


@pytest.mark.parametrize("own", [{"GOMP_SPINCOUNT": "7"}, {"KMP_BLOCKTIME": "200"}])
def test_a_setting_of_the_user_stands_beside_ours_for_other_libraries(own: dict[str, str]):
    assert waiting_after("import napari_slicegan.core", **own) == SHORT | own


def test_a_policy_of_the_user_is_left_alone():
    assert waiting_after("import napari_slicegan.core", OMP_WAIT_POLICY="ACTIVE") == {"OMP_WAIT_POLICY": "ACTIVE"}


@pytest.mark.skipif(sys.platform != "linux", reason="only there, and looks into /proc")
def test_where_torch_came_first_there_are_more_threads_than_cores():
    cores = len(os.sched_getaffinity(0))

    def more(before: str, **environment: str) -> int:
        """How many threads come with the core."""
        count = "count = lambda: len(os.listdir('/proc/self/task'))"
        code = f"import os\n{count}\n{before}\nbefore = count()\nimport napari_slicegan.core\nprint(count() - before)"
        return int(told_by(code, **{"OMP_NUM_THREADS": str(max(cores, 2))} | environment)[0])

    assert more("import torch") > cores
    assert more("import torch", GOMP_SPINCOUNT="300000") == 0
    assert more("import torch", OMP_WAIT_POLICY="ACTIVE") == 0
    assert more("import torch", OMP_NUM_THREADS="1") == 0
    assert more("") == 0
