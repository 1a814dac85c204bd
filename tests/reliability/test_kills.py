"""Any moment can be the last: trainings and generations are killed again and again, and come to the same end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked and killed the POSIX way")


def killed(what: str, folder: Path, kills: int) -> dict[str, Any]:
    """What was seen of so many kills."""
    command = [sys.executable, "-m", "tests.reliability.killing", what, str(folder), str(kills)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr, result.stderr
    print(result.stdout)
    seen: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return seen


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.long)])
def test_a_training_survives_kills_at_any_moment(tmp_path, kills):
    seen = killed("training", tmp_path, kills)
    assert seen["kills"] >= kills
    assert seen["while_writing"] > 0  # else nothing was tried that matters most
    assert seen["lost"] <= 4
    assert seen["finished"] > 0


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.long)])
def test_a_generation_survives_kills_at_any_moment(tmp_path, kills):
    seen = killed("generation", tmp_path, kills)
    assert seen["kills"] >= kills
    assert seen["while_writing"] > 0
    assert seen["finished"] > 0
