"""``napari-slicegan import``: a generator of other code becomes a model file."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from napari_slicegan.cli.images import stated_size
from napari_slicegan.core.calibration import standard_size
from napari_slicegan.core.choices import OutputKind, Upsampling
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.importing.generator import import_generator
from napari_slicegan.core.model_info import ModelInfo

_SUFFIX = ".safetensors"
_COLOURS = 3


def run(args: argparse.Namespace) -> int:
    """Convert the generator, and say what no file told and was assumed."""
    out = Path(args.out)
    if out.suffix.lower() != _SUFFIX:
        raise OutputError(f"{out} is no name of a model file: let it end in {_SUFFIX}.")
    if out.exists():
        raise OutputError(f"{out} exists: choose another name.")
    kind = OutputKind(args.kind) if args.kind else None
    voxel_size, unit = standard_size(*(stated_size(args) or (1.0, "pixel")))
    model = import_generator(args.generator, args.parameters, kind, args.phases, voxel_size, unit)
    model.save(out)
    print(f"Wrote {out}: {_described(model.info)}.")
    for line in _assumptions(model.info, args):
        print(line)
    print(f"Generate with it: napari-slicegan generate {shlex.quote(str(out))} --shape 64 64 64 --out volume.tif")
    return 0


def _described(info: ModelInfo) -> str:
    labels = f" ({', '.join(map(str, info.phases))})" if info.phases else ""
    size = "unknown size" if info.unit == "pixel" else f"{info.voxel_size:g} {info.unit}"
    return f"{info.kind}{labels}, voxels of {size}, {info.network.latent_channels} latent channels"


def _assumptions(info: ModelInfo, args: argparse.Namespace) -> list[str]:
    """What was assumed, a line each."""
    lines = []
    if args.kind is None and info.network.image_channels == _COLOURS:
        lines.append("Its 3 channels were taken for phases; if they are colours, import it with --kind colour.")
    if args.parameters is None:
        paddings = ", ".join(map(str, info.network.padding))
        lines.append(f"Without its list of layers, strides of 2 and paddings of {paddings} were assumed, as published.")
    if info.network.upsampling is Upsampling.STRETCH:
        edge = info.network.edge
        lines.append(
            f"It ends in a resize-convolution: the voxels from 0 0 0 to {edge - 1} {edge - 1} {edge - 1} are those of "
            "the original; beyond, it interpolates as it does there, and not as the original does in larger volumes."
        )
    return lines
