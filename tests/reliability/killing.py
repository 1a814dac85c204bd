"""Kills trainings and generations again and again, and looks at what they have left; a process without threads.

    python -m tests.reliability.killing training|generation FOLDER KILLS

Children are forked after torch has been imported, so that a kill costs no start of Python. The last line is a record of
what was seen, as JSON; whatever is wrong raises.
"""

from __future__ import annotations

import io
import json
import mmap
import os
import random
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import torch

from napari_slicegan.core import checkpoint
from napari_slicegan.core.checkpoint import read_checkpoint
from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.files import CHECKPOINT, CONFIG, MODEL
from napari_slicegan.core.model_header import read_info
from napari_slicegan.core.output.formats import format_of
from napari_slicegan.core.output.places import part_of
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import RunState, newest_preview, read_history, read_preview, summary_of
from tests.core.conftest import blobs, small_network
from tests.core.streams import REQUEST, content, narrow_model

ITERATIONS, INTERVAL = 60, 4
RECIPE = TrainingConfig(
    iterations=ITERATIONS,
    discriminator_volumes=1,
    generator_volumes=1,
    real_crops=2,
    discriminator_steps=2,
    slices_per_axis=2,
    report_seconds=0,
    preview_seconds=0.3,
    evaluation_iterations=10,
    patience=0,
    checkpoint_iterations=INTERVAL,
)
STAGES = "begun", "half", "whole", "renamed"  # of writing a checkpoint
FORMATS = (".npy", ".raw", ".tif", ".ome.tif", ".ome.zarr")


@dataclass
class Seen:
    """What was seen.

    Attributes
    ----------
    kills : int
        Processes that were killed.
    while_writing : int
        Those of them that were writing a checkpoint (or a volume).
    lost : int
        Iterations that had been made and were not in the checkpoint, at the most.
    finished : int
        Trainings or volumes that came to their end, the same as those that were never killed.
    """

    kills: int = 0
    while_writing: int = 0
    lost: int = 0
    finished: int = 0


def fork(work: Callable[[], None]) -> int:
    """Do something in a child; its number."""
    if child := os.fork():
        return child
    try:
        work()
    except BaseException:  # noqa: BLE001  (a child of a fork must not go on as its parent)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def was_killed(child: int, delay: float | None) -> bool:
    """Kill a child after some seconds, or leave it alone; whether it has been killed before it came to its end.

    Raises
    ------
    RuntimeError
        It has failed.
    """
    end = time.monotonic() + (float("inf") if delay is None else delay)
    while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            break
        time.sleep(0.0005)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("a process has failed")
    return os.WIFSIGNALED(status)


def train(path: Path, made: mmap.mmap) -> None:
    """Begin a run or go on with it; the iterations made are told as they are made."""
    data = TrainingData.from_labels(blobs((24, 30)))
    if (path / CONFIG).exists():
        run = Run.open(path)
        trainer = run.trainer(run.data(), device="cpu")
    else:
        run, trainer = Run.start(path, data, small_network(), RECIPE, "quick", "cpu")
    for _ in run.record(trainer):
        made[:8] = struct.pack("q", trainer.iteration)


def die() -> None:
    """End as if the current had been cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_while_writing(stage: str, number: int) -> None:
    """Let this process die in the midst of its n-th checkpoint."""
    write_atomically, left = checkpoint.write_atomically, number

    def write_and_die(path: Path, write: Callable[[BinaryIO], Any], durable: bool = True) -> None:
        nonlocal left
        left -= 1
        if left:
            write_atomically(path, write, durable)
            return

        def write_in_parts(file: BinaryIO) -> None:
            if stage == "begun":
                die()
            memory = io.BytesIO()
            write(memory)
            content = memory.getvalue()
            file.write(content[: len(content) // 2])
            file.flush()
            if stage == "half":
                die()
            file.write(content[len(content) // 2 :])
            file.flush()
            if stage == "whole":
                die()

        write_atomically(path, write_in_parts, durable)
        die()  # it has its name, and nobody knows of it

    checkpoint.write_atomically = write_and_die


def look_at(path: Path, made: int, seen: Seen, had_checkpoint: bool) -> None:
    """See that a killed run has all that it had, up to one interval."""
    assert summary_of(path).state is RunState.INTERRUPTED, summary_of(path)
    assert (path / CHECKPOINT).exists() or not had_checkpoint
    if not (path / CHECKPOINT).exists():
        assert made <= INTERVAL, made
        return
    saved = read_checkpoint(path / CHECKPOINT)
    lost = made - int(saved["iteration"])
    assert lost <= INTERVAL, (made, saved["iteration"])
    seen.lost = max(seen.lost, lost)
    if (path / MODEL).exists():
        read_info(path)
    assert len(read_history(path).progress) > 0
    if picture := newest_preview(path):
        assert read_preview(picture).volume.shape == (16, 16, 16)


def same(one: Any, two: Any) -> bool:
    """Whether two states are the same, bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[name], two[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)


def check_same(path: Path, whole: Path) -> None:
    """See that a run that was killed again and again has come to the same end as one that was not."""
    mine, theirs = (read_checkpoint(run / CHECKPOINT) for run in (path, whole))
    for part in ("gan", "judge", "model", "iteration", "discriminator_steps"):
        assert same(mine.get(part), theirs.get(part)), part
    assert read_history(path).evaluations == read_history(whole).evaluations
    assert summary_of(path).state is RunState.FINISHED


def kill_trainings(folder: Path, kills: int) -> Seen:
    """Kill trainings until there were so many kills."""
    rng, seen, made = random.Random(0), Seen(), mmap.mmap(-1, 8)
    whole = folder / "whole"
    begin = time.monotonic()
    assert not was_killed(fork(lambda: train(whole, made)), None)
    seconds = time.monotonic() - begin
    number = 0
    while seen.kills < kills:
        path = folder / str(number)
        number += 1
        while True:
            had_checkpoint, stage = (path / CHECKPOINT).exists(), rng.choice((*STAGES, *[""] * len(STAGES)))
            which, delay = rng.randrange(1, 6), rng.uniform(0, 0.5 * seconds)
            made[:8] = struct.pack("q", 0)

            def work(path: Path = path, stage: str = stage, which: int = which) -> None:
                if stage:
                    die_while_writing(stage, which)
                train(path, made)

            if not was_killed(fork(work), None if stage or seen.kills >= kills else delay):
                break
            seen.kills += 1
            seen.while_writing += bool(stage)
            if (path / CONFIG).exists():
                look_at(path, struct.unpack("q", made[:8])[0], seen, had_checkpoint)
        check_same(path, whole)
        seen.finished += 1
    return seen


def kill_generations(folder: Path, kills: int) -> Seen:
    """Kill generations in all formats in turn, each at most twice, until there were so many kills."""
    rng, seen, number = random.Random(0), Seen(), 0
    whole: dict[str, Any] = {}
    seconds = 0.0
    for ending in FORMATS:
        path, begin = folder / f"whole{ending}", time.monotonic()
        assert not was_killed(fork(lambda path=path: generate(path)), None)
        whole[ending], seconds = content(path), max(seconds, time.monotonic() - begin)
    while seen.kills < kills:
        ending = FORMATS[number % len(FORMATS)]
        path, left = folder / f"{number}{ending}", 2
        number += 1
        while not path.exists():
            delay = rng.uniform(0, seconds) if left else None
            if was_killed(fork(lambda path=path: generate(path)), delay):
                seen.kills, left = seen.kills + 1, left - 1
                seen.while_writing += part_of(path).exists()
        assert content(path) == whole[ending]  # whatever has the name is complete
        seen.finished += 1
    return seen


def generate(path: Path) -> None:
    """Begin a volume or go on with it."""
    assert format_of(path).resumable
    stream(narrow_model(), replace(REQUEST), path, resume=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    what, place, count = sys.argv[1:]
    kill = {"training": kill_trainings, "generation": kill_generations}[what]
    print(json.dumps(asdict(kill(Path(place), int(count)))))
