"""Trainings of several processes: started by the command or by torchrun, stopped, broken off, gone on with."""

import os
import signal
import subprocess
import sys
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
import torch

from napari_slicegan.core.model import SliceGAN
from tests.cli.conftest import blobs, write
from tests.cli.test_stopping import train_for_long
from tests.guard import loopback_only

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent the POSIX way")


def other_process(first: subprocess.Popen) -> psutil.Process:
    (child,) = [child for child in psutil.Process(first.pid).children() if "napari_slicegan" in child.cmdline()]
    return child


def assert_ended(process: psutil.Process) -> None:
    _, alive = psutil.wait_procs([process], timeout=20)
    for one in alive:
        one.kill()
    assert not alive


def assert_heard_here_alone(*processes: psutil.Process) -> None:
    """No other computer can reach what processes of this one listen to, and they have reached none."""
    addresses = [connection.laddr.ip for process in processes for connection in process.net_connections("inet")]
    assert addresses
    assert all(ip_address(address).is_loopback for address in addresses), addresses


def weights(run: str) -> torch.Tensor:
    return torch.cat([weight.flatten() for weight in SliceGAN.load(run).generator.parameters()])


def test_two_processes_make_the_model_of_one_and_one_goes_on(start, command, image, settings):
    process = start("train", image, "--out", "two", "--config", settings, "--iterations", 3, "--devices", 2)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "on cpu with 2 processes" in out
    assert out.count("Trained 3 iterations") == 1
    outcome = command("train", image, "--out", "one", "--config", settings, "--iterations", 3)
    assert outcome.code == 0, outcome.err
    near = (weights("two") - weights("one")).abs() < 1e-6  # but for signs of gradients that vanish
    assert near.float().mean() > 0.95
    outcome = command("train", "--out", "two", "--resume", "--iterations", 4)
    assert outcome.code == 0, outcome.err
    assert "Going on with two after 3 iterations." in outcome.out


def test_a_run_of_one_process_goes_on_with_two(start, trained):
    process = start("train", "--out", trained, "--resume", "--iterations", 4, "--devices", 2)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Going on with run after 2 iterations." in out
    assert SliceGAN.load("run").info.provenance["iterations"] == 4


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_reaches_all_processes(number, code, start, command, image, settings):
    process = train_for_long(start, image, settings, "--devices", 2)
    other = other_process(process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert "Stopped after" in out
    assert_ended(other)
    done = SliceGAN.load("run").info.provenance["iterations"]
    outcome = command("train", image, "--out", "run", "--resume", "--iterations", done + 1)
    assert outcome.code == 0, outcome.err


def test_a_process_that_dies_ends_the_run_with_a_sentence(start, command, image, settings):
    process = train_for_long(start, image, settings, "--devices", 2)
    assert_heard_here_alone(psutil.Process(process.pid), other_process(process))
    other_process(process).kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "One of the 2 processes of the training has ended" in err
    assert "Traceback" not in err
    done = SliceGAN.load("run").info.provenance["iterations"]
    assert done > 0
    outcome = command("train", image, "--out", "run", "--resume", "--iterations", done + 1)
    assert outcome.code == 0, outcome.err


IMPATIENT = """
import sys
from datetime import timedelta
from napari_slicegan.core.parallel import group, launch
group.SILENCE = launch.SILENCE = timedelta(seconds=20)
from napari_slicegan.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_process_that_hangs_ends_the_run_with_a_sentence(start, image, settings):
    process = train_for_long(partial(start, code=IMPATIENT), image, settings, "--devices", 2)
    other = other_process(process)
    other.suspend()
    try:
        process.wait(60)
    finally:
        assert_ended(other)
    assert process.returncode == 2
    _, err = process.communicate()
    assert "or does not answer: see what it has said" in err
    assert "Traceback" not in err


def test_the_others_do_not_outlive_the_first_process(start, image, settings):
    process = train_for_long(start, image, settings, "--devices", 2)
    other = other_process(process)
    process.kill()
    assert_ended(other)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_others_end_too_where_the_first_ends_before_they_have_met(number, start, image, settings):
    process = start("train", image, "--out", "run", "--config", settings, "--devices", 2)
    while not (children := psutil.Process(process.pid).children()):
        assert process.poll() is None
    process.send_signal(number)
    process.wait(60)
    assert_ended(*children)
    assert "Traceback" not in process.communicate()[1]


def run_by_torchrun(*program: object) -> subprocess.CompletedProcess:
    """It is not of this project, and asks what this computer is called."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.run(
        [*launcher, *map(str, program)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        env=loopback_only.unwatched(os.environ),
    )


def test_torchrun_starts_the_processes_as_well(image, settings):
    command = ["-m", "napari_slicegan", "train", image, "--out", "run", "--config", settings, "--iterations", "2"]
    done = run_by_torchrun(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Trained 2 iterations") == 1
    assert Path("run/model.safetensors").exists()


def test_what_the_first_process_refuses_is_said_in_a_sentence(start, image, settings):
    process = start("train", image, "--out", "run", "--config", settings, "--set", "minutes=-1", "--devices", 2)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "The setting minutes is -1.0" in err
    assert "Traceback" not in err
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("devices", "message"), [(10**4, "more than the"), (-1, "is no number of processes: give 1 or more")]
)
def test_numbers_of_processes_that_make_no_sense(devices, message, command, image, settings):
    outcome = command("train", image, "--out", "run", "--config", settings, "--devices", devices)
    assert outcome.code == 2
    assert message in outcome.err


def test_other_images_in_another_process_are_refused(image, settings):
    """As on a cluster, where each computer has files of its own."""
    other = write("other.tif", blobs((24, 40), seed=1), 0.5)
    script = f"""
import os, sys
from napari_slicegan.cli import main
image = {str(image)!r} if os.environ["RANK"] == "0" else {str(other)!r}
sys.exit(main(["train", image, "--out", "run", "--config", {str(settings)!r}, "--iterations", "2"]))
"""
    Path("script.py").write_text(script)
    done = run_by_torchrun("script.py")
    assert done.returncode != 0
    assert "Process 1 of the training: The images are others than those of the first process" in done.stderr
