"""Draw the pictures of the gallery: micrographs beside slices of volumes that were learnt from them.

    python docs/gallery.py [--minutes 15] [--made NAME=RUN ...]

Volumes of the package's own materials are those of the generators that come with it. Two more are trained for
`--minutes` each, unless `--made` names a run or a model: "two_images", the fibres from two of their three micrographs
with the preset large, and "colour", a map of coloured grains, which is made here, with the preset quick.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from napari_slicegan.cli.settings import Request
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.figure import comparison
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.presets import preset_named
from napari_slicegan.core.run import Run
from napari_slicegan.core.synthetic import MATERIALS, micrographs

IMAGES = Path(__file__).parent / "images"
SHAPE = (128, 128, 128)
SEED = 5  # of the volumes, which are not chosen
_COLOURS = (230, 60, 60), (70, 190, 80), (60, 90, 220), (235, 200, 60), (190, 80, 200), (70, 200, 210), (240, 140, 60)


def coloured_grains(edge: int = 320, distance: float = 14.0) -> np.ndarray:
    """A plane through grains of one colour each, (edge, edge, 3) uint8, as in a map of orientations."""
    rng = np.random.default_rng(0)
    depth = 4 * distance
    centres = rng.uniform(0, (depth, edge, edge), (round(depth * edge**2 / distance**3), 3))
    plane = np.stack(np.meshgrid(depth / 2, np.arange(edge), np.arange(edge), indexing="ij"), -1)  # (1, H, W, 3)
    owner = cKDTree(centres).query(plane[0])[1]  # (H, W)
    return np.array(_COLOURS, np.uint8)[rng.integers(len(_COLOURS), size=len(centres))][owner]


def shown_by(name: str, count: int = 3) -> TrainingData:
    """The micrographs, or the first of them, that come with the package of one of its materials."""
    material, images = MATERIALS[name], [file.array for file in micrographs(name)[:count]]
    details = {"pixel_size": material.pixel_size, "unit": material.unit, "phase_names": material.phases}
    return TrainingData.from_images(*images, kind=material.kind, **details)


TRAINED = {
    "two_images": (lambda: shown_by("fibres", 2), "large"),  # normal to z, and to y with z down its rows
    "colour": (lambda: TrainingData.from_images(coloured_grains(), kind="colour"), "quick"),
}


def train(data: TrainingData, minutes: float, name: str) -> SliceGAN:
    """The best model after so many minutes with a preset."""
    preset = preset_named(name)
    settings = Request(preset.name, end={"minutes": minutes, "iterations": 0}).applied_to(preset)
    with tempfile.TemporaryDirectory() as folder:
        run, trainer = Run.start(Path(folder) / "run", data, *settings, preset.name, "cpu")
        for _ in run.record(trainer):
            pass
    return trainer.model


def draw(name: str, data: TrainingData, model: SliceGAN) -> None:
    """Draw one picture."""
    picture = comparison(data, model.generate(SHAPE, SEED), data.phase_names, oblique=True)
    picture.quantize(64).save(IMAGES / f"gallery_{name}.png", optimize=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--made", metavar="NAME=RUN", nargs="*", default=[], help="runs or models of what is trained")
    arguments = parser.parse_args()
    made = dict(one.split("=", 1) for one in arguments.made)
    for name in MATERIALS:
        draw(name, shown_by(name), SliceGAN.load(f"sample:{name}", "cpu"))
    for name, (make, preset) in TRAINED.items():
        data = make()
        draw(name, data, SliceGAN.load(made[name], "cpu") if name in made else train(data, arguments.minutes, preset))


if __name__ == "__main__":
    main()
