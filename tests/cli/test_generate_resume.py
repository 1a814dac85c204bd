"""Volumes whose making is broken off, in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent the POSIX way")

SHAPE = (6000, 40, 40)
"""Of 47 tiles, each in one piece of the file, so that what is on the disk tells how many are done."""
BYTES = 1_000_000
"""Of five tiles: so few that a test which has to wait for a processor still finds the generation under way."""


def under_way(start, *options):
    """A generation of which some tiles are on the disk."""
    process = start("generate", "run", "--shape", *SHAPE, "--device", "cpu", *options)
    part, patience = Path("v.npy.part"), time.monotonic() + 120
    while not (part.exists() and part.stat().st_blocks * 512 > BYTES):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < patience
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(signal.SIGINT, 130, "napari-slicegan: interrupted."), (signal.SIGTERM, 143, "go on with the same command")],
)
def test_a_signal_keeps_what_is_done(start, command, trained, number, code, words):
    process = under_way(start, "--out", "v.npy")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, (out, err)
    assert "v.npy.part is kept: go on with the same command and --resume.\n" in err
    assert words in err
    assert "Traceback" not in err
    assert out == ""
    assert not Path("v.npy").exists()
    assert Path("v.npy.part.journal").read_text().count("\n") > 1
    outcome = command("generate", "run", "--shape", *SHAPE, "--out", "v.npy", "--resume")
    assert outcome.code == 0, outcome.err
    whole = command("generate", "run", "--shape", *SHAPE, "--out", "w.npy")
    assert Path("v.npy").read_bytes() == Path("w.npy").read_bytes()
    assert outcome.out == whole.out.replace("w.npy", "v.npy")
    assert not list(Path().glob("*.part*"))


def test_a_kill_leaves_an_unfinished_volume_and_no_lock(start, command, trained):
    process = under_way(start, "--out", "v.npy")
    process.kill()
    process.communicate()
    assert not Path("v.npy").exists()
    refused = command("generate", "run", "--shape", *SHAPE, "--out", "v.npy")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "v.npy.part is an unfinished volume" in refused.err
    refused = command("generate", "run", "--shape", *SHAPE, "--out", "v.npy", "--seed", 1, "--resume")
    assert refused.code == 2
    assert "v.npy.part was begun with seed 0, not 1" in refused.err
    assert command("generate", "run", "--shape", *SHAPE, "--out", "v.npy", "--resume").code == 0
    assert command("generate", "run", "--shape", *SHAPE, "--out", "w.npy").code == 0
    assert Path("v.npy").read_bytes() == Path("w.npy").read_bytes()


def test_while_one_process_writes_another_is_refused(start, command, trained):
    process = under_way(start, "--out", "v.npy")
    refused = command("generate", "run", "--shape", *SHAPE, "--out", "v.npy", "--resume")
    assert refused.code == 2
    assert "another process is writing this volume" in refused.err
    assert process.poll() is None


@pytest.mark.parametrize("out", ["v.npy", "v.raw", "v.tif", "v.ome.tif"])
def test_where_files_may_not_be_as_large_nothing_is_left(trained, out):
    command = [sys.executable, "-m", "napari_slicegan", "generate", "run", "--shape", "90", "90", "90"]
    shell = ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash", *command, "--out", out]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(shell, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == (
        f"napari-slicegan: {out} cannot be written: File too large. Free some space or choose another disk."
    )
    assert not list(Path().glob("v.*"))
