"""``napari-slicegan train``."""

from __future__ import annotations

import argparse
import shlex
import signal
from pathlib import Path

from napari_slicegan.cli.following import announce, follow
from napari_slicegan.cli.images import Size, read_training_data, stated_size
from napari_slicegan.cli.settings import Request
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.device import choose_device
from napari_slicegan.core.errors import ConfigError, DataError, OutputError, SliceGANError, TrainingError
from napari_slicegan.core.files import CHECKPOINT, CONFIG, MODEL, PREVIEWS, is_free
from napari_slicegan.core.parallel.following import begin
from napari_slicegan.core.parallel.following import follow as follow_calls
from napari_slicegan.core.parallel.group import Group
from napari_slicegan.core.parallel.launch import together
from napari_slicegan.core.parallel.peers import ALONE, Peers
from napari_slicegan.core.presets import default_preset, preset_named
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import RunState, summary_of
from napari_slicegan.core.training import Trainer


def run(args: argparse.Namespace) -> int:
    """Train, or go on training; with other processes if that was asked for."""
    if args.devices < 0:
        raise ConfigError(f"--devices {args.devices} is no number of processes: give 1 or more.")
    with together(args.devices, args.device, args.command_line) as peers:
        return _take_part(args, peers) if isinstance(peers, Group) and peers.rank else _lead(args, peers)


def _take_part(args: argparse.Namespace, group: Group) -> int:
    """Follow the first process, which saves and reports; it is told of signals, too, and stops all."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        follow_calls(_images(args, stated_size(args), None if args.image else Run.open(args.out)), group)
    except SliceGANError as error:
        raise type(error)(f"Process {group.rank} of the training: {error}") from error
    return 0


def _lead(args: argparse.Namespace, peers: Peers) -> int:
    """Train as the first process, or as the only one."""
    out = Path(args.out)
    check_free(out, args.resume)
    size = stated_size(args)
    request = Request.of(args)
    is_there = (out / CONFIG).exists()
    data = _images(args, size, Run.open(out) if is_there else None)
    if is_there:
        current, trainer = _resumed(Run.open(out), data, request, args, size is not None, peers)
    else:
        current, trainer = start(out, data, request, args.device, args.start_from, peers)
    if trainer.is_finished and summary_of(out).state is RunState.FINISHED:  # else it was killed before it was recorded
        print(
            f"{out} is finished: {trainer.iteration} iterations. To train it further, give a "
            "later end with --iterations or --minutes."
        )
        return 0
    announce(current, trainer)
    if isinstance(peers, Group):
        begin(trainer.gan, data, peers)
    try:
        code = follow(current, trainer)
    except SliceGANError as error:
        if not current.has_checkpoint:
            raise
        raise type(error)(f"{error} To go on from the last checkpoint, give the same command and --resume.") from error
    _show_results(out, code)
    return code


def check_free(out: Path, resume: bool = False) -> None:
    """Refuse a directory that has something in it, unless it may be resumed.

    Raises
    ------
    OutputError
        The place is taken.
    """
    if out.is_dir() and is_free(out):
        return
    if out.is_dir() and resume and (out / CONFIG).exists():
        return
    if out.exists():
        hint = ", or go on with it: napari-slicegan train ... --resume" if (out / CONFIG).exists() else ""
        raise OutputError(f"{out} exists already: choose another place with --out{hint}.")


def _images(args: argparse.Namespace, size: Size | None, found: Run | None) -> TrainingData:
    """The images that were given, else those of the run that goes on."""
    if args.image:
        return read_training_data(args.image, args.kind, args.axis, args.crop, size, args.shrink)
    if found is None:
        raise DataError(f"There is no image to train on, and no run at {args.out}: name one, two or three images.")
    if args.crop or size or (args.kind, args.axis, args.shrink) != ("auto", "z", 1):
        raise ConfigError(
            "The images of the run are used as they are: leave out --kind, --axis, --crop, --shrink, --pixel-size and "
            "--unit."
        )
    return found.data()


def start(
    out: Path,
    data: TrainingData,
    request: Request,
    device: str,
    start_from: str | None = None,
    peers: Peers = ALONE,
) -> tuple[Run, Trainer]:
    """Begin a new run; its directory is made when all else is known to work.

    Parameters
    ----------
    out : Path
        Directory of the run.
    data : TrainingData
        The images.
    request : Request
        What was asked of the settings.
    device : str
        "auto", "cpu", "cuda" or "mps".
    start_from : str, optional
        Model, checkpoint or run whose weights to begin with.
    peers : Peers
        The processes that train together.

    Returns
    -------
    tuple of Run and Trainer
        Ready to train.

    Raises
    ------
    SliceGANError
        The images, the settings, the device, the directory or the model to start from do not allow it.
    """
    kind = choose_device(device).type
    preset = preset_named(request.preset) if request.preset else default_preset(kind)
    network, training = request.applied_to(preset)
    return Run.start(out, data, network, training, preset.name, device, start_from, peers)


def _resumed(
    found: Run, data: TrainingData, request: Request, args: argparse.Namespace, sized: bool, peers: Peers
) -> tuple[Run, Trainer]:
    """Go on with a run; only its end may be another than before."""
    other = request.differences(found.network, found.training)
    _check_start(found, args.start_from)
    if request.preset not in (None, found.preset):
        other = ["preset", *other]
    if other:
        raise TrainingError(
            f"The run {found.path} was started with another {', '.join(other)}: when resuming only "
            "the end (--iterations, --minutes) may change. Leave the rest out, or start a new run."
        )
    info = found.info()
    if info and sized and (data.pixel_size, data.unit) != (info.voxel_size, info.unit):
        raise TrainingError(
            f"The run has pixels of {info.voxel_size:g} {info.unit}, not {data.pixel_size:g} "
            f"{data.unit}: leave out --pixel-size and --unit, or start a new run."
        )
    return found, found.trainer(data, found.recipe(**request.end), args.device, peers)


def _check_start(found: Run, given: str | None) -> None:
    """Refuse other weights to start from than those that the run has begun with."""
    if given is None:
        return
    if not found.started_from:
        raise TrainingError(f"The run {found.path} has begun with random weights: leave out --start-from.")
    place = Path(given).resolve()
    if Path(found.started_from).resolve() not in (place, place / CHECKPOINT, place / MODEL):
        raise TrainingError(
            f"The run {found.path} was started from {found.started_from}, not from {given}: leave out --start-from, "
            "or start a new run."
        )


def _show_results(out: Path, code: int) -> None:
    print(f"  model     {out / MODEL}")
    print(f"  previews  {out / PREVIEWS}")
    if code:
        print("Go on with the same command and --resume, or use the model as it is.")
    print(f"Next: napari-slicegan generate {shlex.quote(str(out))} --shape 128 128 128 --out volume.tif")
