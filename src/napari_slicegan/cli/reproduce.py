"""``napari-slicegan reproduce``: makes a model or a volume again, and tells whether it is the same."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from napari_slicegan.cli.images import read_training_data
from napari_slicegan.cli.info import is_model
from napari_slicegan.cli.progress import Bar, Timed
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.device import choose_device
from napari_slicegan.core.errors import ConfigError, DataError, ModelError
from napari_slicegan.core.files import CONFIG
from napari_slicegan.core.machine import Machine
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.output.formats import SUFFIXES
from napari_slicegan.core.output.streaming import check_output, remove_unfinished, stream
from napari_slicegan.core.reproducing.finding import model_of
from napari_slicegan.core.reproducing.plan import Plan, differences
from napari_slicegan.core.reproducing.training import compared, is_balanced, retrained
from napari_slicegan.core.reproducing.verdict import Verdict
from napari_slicegan.core.reproducing.volume import VolumePast, compared_again
from napari_slicegan.core.run import Run
from napari_slicegan.core.transfer import source_of
from napari_slicegan.core.weights import find_model, generator_with, read_weights
from napari_slicegan.core.writing import check_writable

DIFFERENT = 3
"""Exit code for what is not the same; 1 would be a defect."""


def run(args: argparse.Namespace) -> int:
    """Make it again, compare, and say what was found."""
    path = Path(args.file)
    if not path.exists():
        raise ModelError(f"There is no file or directory {path}.")
    if is_model(args.file):
        verdict = _model(path, args)
    elif path.name.lower().endswith(SUFFIXES):
        verdict = _volume(path, args)
    else:
        raise ModelError(f"{path} is neither a model, a checkpoint or a RUN nor a volume ({', '.join(SUFFIXES)}).")
    print(f"{'Identical' if verdict.is_identical else 'Not identical'}: {verdict.found}")
    return 0 if verdict.is_identical else DIFFERENT


def _model(path: Path, args: argparse.Namespace) -> Verdict:
    """Train again, and compare the weights."""
    if args.model is not None:
        raise ConfigError("--model is for volumes: leave it out, since FILE is a model.")
    out = Path(args.out) if args.out else None
    if out:
        check_writable(out, suffixes=(".safetensors",))
    file = find_model(path)
    header, weights = read_weights(file)
    info = ModelInfo.from_json(header)
    generator_with(weights, info.network, file)  # checks them
    plan = Plan.of(info)
    data, device = _images(file, plan, args), args.device or plan.device
    _announce(plan, device)
    start_from = source_of(args.start_from) if args.start_from else None
    with Bar() as bar:
        made = retrained(plan, data, is_balanced(weights), device, start_from, Timed(bar, "training"))
    if out:
        made.save(out)
        print(f"Wrote {out}.")
    return compared(weights, made)


def _images(file: Path, plan: Plan, args: argparse.Namespace) -> TrainingData:
    """The images that were given, else those in the run's directory in which the model lies."""
    if args.image:
        return read_training_data(args.image, args.kind, args.axis, args.crop, None, args.shrink)
    if not (file.parent / CONFIG).is_file():
        raise DataError(
            f"{file} does not lie in the directory of a run, which would hold its images: give the images that it was "
            "trained on behind it, with --kind, --axis, --crop and --shrink as then."
        )
    data = Run.open(file.parent).data()
    if data.fingerprint != plan.fingerprint:
        raise DataError(f"{file} was trained on other images than {file.parent} holds: give its images behind it.")
    return data


def _announce(plan: Plan, device: str) -> None:
    several = f", in {len(plan.legs)} sessions" if len(plan.legs) > 1 else ""
    print(f"Trained for {plan.iteration} iterations{several}; now the same again.")
    if not plan.is_whole:
        print("It does not say with how many threads, nor on what it was trained from the beginning on.")
    _warn(differences(plan.machines, Machine.here(choose_device(device))))


def _volume(path: Path, args: argparse.Namespace) -> Verdict:
    """Make a volume again, and compare the voxels."""
    if args.image or args.start_from:
        raise ConfigError("Images and --start-from are for models: leave them out, since FILE is a volume.")
    past = VolumePast.of(path)
    device = args.device or (past.machine.device if past.machine else "auto")
    folders = (path.absolute().parent, path.absolute().parent.parent, Path.cwd())
    model = SliceGAN.load(args.model, device) if args.model else model_of(past, folders, device)
    past.check(model)
    if past.machine is None:
        print("It does not say on what it was made.")
    _warn(differences([past.machine] if past.machine else [], Machine.here(model.device)))
    made = _written(model, past, Path(args.out)) if args.out else None
    with Bar() as bar:
        return compared_again(path, past, model, Timed(bar, "comparing" if made else "generating"), made)


def _written(model: SliceGAN, past: VolumePast, out: Path) -> Path:
    """The volume made again in a new file; nothing of it is left when that is broken off."""
    check_output(out, model.describe(past.request))
    try:
        with Bar() as bar, past.threads:
            stream(model, past.request, out, progress=Timed(bar, "generating"))
    except BaseException:
        remove_unfinished(out)
        raise
    print(f"Wrote {out}.")
    return out


def _warn(texts: Sequence[str]) -> None:
    """Say beforehand what may make the difference."""
    for text in texts:
        print(f"This differs, and may change the last bits: {text}.", flush=True)
