"""``napari-slicegan compare``: how far volumes differ from a micrograph, or from a true volume."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from napari_slicegan.cli.images import read_training_data, stated_size
from napari_slicegan.cli.info import is_model
from napari_slicegan.cli.progress import Bar, Timed
from napari_slicegan.core.comparison.compare import compare
from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.comparison.report import as_json, as_text, check_report, write_report
from napari_slicegan.core.comparison.samples import ModelVolumes, Volume, read_volume
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ConfigError

_NO_IMAGES = (".ome.zarr", ".raw", ".vti")  # what is a volume only, and read in pieces


def run(args: argparse.Namespace) -> int:
    """Compare, show the table, and write the report."""
    if args.report is not None:
        check_report(args.report)
    config = _config(args)
    truth, volumes = _truth(args), _volumes(args, config)
    with Bar() as bar:
        found = compare(truth, volumes, config, Timed(bar))
    print(json.dumps(as_json(found), indent=2, allow_nan=False) if args.json else as_text(found), flush=True)
    if args.report is not None:
        page = write_report(found, args.report)
        print(f"Wrote {page}.", file=sys.stderr if args.json else sys.stdout)
    return 0


def _config(args: argparse.Namespace) -> ComparisonConfig:
    if not any(map(is_model, args.volume)):
        stray = [name for name in ("seeds", "shape") if getattr(args, name) is not None]
        if stray:
            raise ConfigError(f"--{stray[0]} is for the volumes that a model makes: leave it out, or give a model.")
    elif len(args.volume) > 1:
        raise ConfigError("Give one model with --volume, or volumes: not more than one model, and not both.")
    asked = {"seeds": args.seeds, "shape": args.shape, "slow": False if args.without_slow else None}
    return ComparisonConfig(**{name: value for name, value in asked.items() if value is not None})


def _truth(args: argparse.Namespace) -> TrainingData | Volume:
    size = stated_size(args)
    if len(args.image) > 1 or not args.image[0].lower().endswith(_NO_IMAGES):
        return read_training_data(args.image, args.kind, args.axis, args.crop, size, args.shrink)
    if args.crop or args.kind != "auto" or args.shrink != 1:
        raise ConfigError(
            f"--crop, --shrink and --kind are for images, and {args.image[0]} is a volume: leave them out."
        )
    volume = read_volume(Path(args.image[0]))
    return replace(volume, voxel_size=size[0], unit=size[1]) if size else volume


def _volumes(args: argparse.Namespace, config: ComparisonConfig) -> list[Volume] | ModelVolumes:
    first = args.volume[0]
    if not is_model(first):
        return [read_volume(Path(name)) for name in args.volume]
    from napari_slicegan.core.model import SliceGAN

    return ModelVolumes(SliceGAN.load(first, args.device), range(config.seeds), config.shape, Path(first).name)
