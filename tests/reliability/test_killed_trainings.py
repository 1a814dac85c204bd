"""A training that is killed at any moment, in the middle of a checkpoint too, goes on as if nothing had happened."""

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import tifffile
import torch

from napari_slicegan.core.files import CHECKPOINT, MODEL, STATUS
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.resuming import Saved
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import RunState, is_run, newest_preview, previews, read_history, read_preview, summary_of
from tests.cli.conftest import EDGE, TINY
from tests.core.conftest import blobs
from tests.reliability import victims

ITERATIONS, INTERVAL = 60, 5
SETTINGS = (
    TINY.replace("preview_seconds = 0", "preview_seconds = 0.001").replace(
        "evaluation_iterations = 0", "evaluation_iterations = 30"
    )
    + f"report_seconds = 0\nbalance_volumes = 8\ncheckpoint_iterations = {INTERVAL}\n"
)


@dataclass
class Toll:
    """What the kills have cost: how many, how many of them while a checkpoint was written, and iterations at most."""

    kills: int = 0
    writing: int = 0
    most_lost: int = 0
    runs: int = 0


def prepare(folder: Path) -> None:
    """Write what is trained on."""
    tifffile.imwrite(folder / "image.tif", blobs((24, 40)) * 255)
    (folder / "settings.toml").write_text(SETTINGS)


def start(folder: Path, name: str = "run"):
    end = ("--iterations", ITERATIONS, "--device", "cpu", "--resume")
    return victims.start(folder, "train", "image.tif", "--out", name, "--config", "settings.toml", *end)


def ended(process, folder: Path, seconds: float | None = None) -> bool:
    """Whether a process comes to its end within a time; else it is killed."""
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
    assert process.exitcode <= 0, (folder / victims.SAID).read_text()
    return process.exitcode == 0


def is_writing(run: Path) -> bool:
    return any(run.glob(f"{CHECKPOINT}.*.part"))


def wait_for_writing(process, run: Path, seconds: float) -> None:
    """Wait until a checkpoint that was not yet begun is being written."""
    begin = time.monotonic()
    time.sleep(seconds)
    while process.is_alive() and not is_writing(run) and time.monotonic() < begin + 60:
        time.sleep(0.001)


def iteration_of(run: Path) -> int:
    """That of the checkpoint, which can be read if there is one."""
    return Saved.read(run / CHECKPOINT).iteration if (run / CHECKPOINT).exists() else 0


def check_readers(run: Path) -> int:
    """All that looks at a run understands it; the last iteration that it has told of."""
    if not is_run(run):
        assert not (run / CHECKPOINT).exists()
        return 0
    found = summary_of(run)
    assert (found.is_readable, found.message) == (True, "")
    assert found.state in (RunState.INTERRUPTED, RunState.FINISHED)
    assert Run.open(run).data().names == ("image.tif",)
    log = (run / "log.jsonl").read_bytes().splitlines() if (run / "log.jsonl").exists() else []
    assert len(Run.open(run).log()) >= len(log) - 1  # the last line may be cut off
    history = read_history(run)
    told = [report.iteration for report in history.progress]
    assert told == list(range(1, len(told) + 1))
    assert [found.iteration for found in history.evaluations] == [30, 60][: len(history.evaluations)]
    assert all(read_preview(file).volume.shape == (EDGE,) * 3 for file in previews(run))
    if found.has_model:
        SliceGAN.load(run, "cpu")
    if (run / MODEL).exists():
        SliceGAN.load(run / MODEL, "cpu")
    return len(told)


def made(run: Path) -> dict:
    """All that a training has made, apart from how long it took."""
    saved = Saved.read(run / CHECKPOINT)
    return {
        "players": saved.gan,
        "judge": saved.judge,
        "counts": (saved.iteration, saved.discriminator_steps),
        "model": SliceGAN.load(run / MODEL, "cpu").generator.state_dict(),
        "evaluations": read_history(run).evaluations,
        "preview": torch.from_numpy(read_preview(newest_preview(run)).volume),
        "state": summary_of(run).state,
    }


def differences(one, other, name: str = "") -> list[str]:
    """Names of what is not the same, bit for bit."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [each for key in one for each in differences(one[key], other[key], f"{name}/{key}")]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [each for number, pair in pairs for each in differences(*pair, f"{name}/{number}")]
    same = torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    return [] if same else [name]


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.long)])
def test_a_training_that_is_killed_at_any_moment_ends_as_if_it_had_not_been(tmp_path, kills):
    prepare(tmp_path)
    victims.warm_up()
    begin = time.monotonic()
    assert ended(start(tmp_path, "whole"), tmp_path)
    longest = (time.monotonic() - begin) / 3
    whole, toll, moments = made(tmp_path / "whole"), Toll(), random.Random(kills)
    while toll.kills < kills or toll.writing < kills // 5:
        kill_until_the_end(tmp_path, toll, kills, longest, moments)
        toll.runs += 1
        assert differences(whole, made(tmp_path / f"run{toll.runs}")) == []
    print(toll)
    assert toll.most_lost <= INTERVAL


def kill_until_the_end(folder: Path, toll: Toll, kills: int, longest: float, moments: random.Random) -> None:
    """Train a run to its end, with a kill now and then, each time looking at what it leaves."""
    run, saved = folder / f"run{toll.runs + 1}", 0
    while True:
        process = start(folder, run.name)
        if toll.kills >= kills and toll.writing >= kills // 5:
            assert ended(process, folder)
            return
        if moments.random() < 1 / 3:
            wait_for_writing(process, run, moments.uniform(0, longest))
            moment = moments.uniform(0, victims.PIECES * victims.SECONDS)
        else:
            moment = moments.uniform(0, longest)
        if ended(process, folder, moment):
            return
        toll.kills += 1
        toll.writing += is_writing(run)
        before, saved = saved, iteration_of(run)
        assert saved >= before
        toll.most_lost = max(toll.most_lost, check_readers(run) - saved)


def test_a_run_that_was_killed_between_its_last_checkpoint_and_its_model_is_completed(tmp_path):
    prepare(tmp_path)
    assert ended(start(tmp_path, "run"), tmp_path)
    run, whole = tmp_path / "run", made(tmp_path / "run")
    (run / MODEL).unlink()
    status = json.loads((run / STATUS).read_text())
    (run / STATUS).write_text(json.dumps(status | {"state": "training"}))
    assert summary_of(run).state is RunState.INTERRUPTED
    assert ended(start(tmp_path, "run"), tmp_path)
    assert differences(whole, made(run)) == []
