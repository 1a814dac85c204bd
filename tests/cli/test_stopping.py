"""Ctrl-C and SIGTERM in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_slicegan.core.model import SliceGAN

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent the POSIX way")


def train_for_long(start, image, settings, *options):
    """A training under way, in a process that has already reported."""
    process = start(
        "train", image, "--out", "run", "--config", settings, "--set", "report_seconds=0.1",
        "--iterations", 10**6, "--device", "cpu", *options,
    )  # fmt: skip
    log, patience = Path("run/log.jsonl"), time.monotonic() + 60
    while not (log.exists() and log.read_text().count("\n") > 1):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < patience
        time.sleep(0.05)
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_saves_and_the_run_can_go_on(start, command, image, settings, number, code):
    process = train_for_long(start, image, settings)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "stopping" in err
    assert "Traceback" not in err
    assert "Stopped after" in out
    assert "--resume" in out
    done = SliceGAN.load("run").info.provenance["iterations"]
    last = json.loads(Path("run/log.jsonl").read_text().splitlines()[-1])
    assert last == {"event": "end", "reason": "stopped", "iteration": done}
    outcome = command("train", image, "--out", "run", "--resume", "--iterations", done + 1)
    assert outcome.code == 0, outcome.err
    assert f"Going on with run after {done} iterations." in outcome.out


def test_the_second_signal_ends_at_once(start, image, settings):
    # Saving never ends: a pipe that nobody writes to stands where the model is, whose card is to be kept.
    process = train_for_long(start, image, settings)
    os.mkfifo("run/model.safetensors")
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == -signal.SIGINT
