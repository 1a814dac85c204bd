"""Draw the pictures of the gallery: micrographs beside slices of volumes that were learnt from them.

    python docs/gallery.py [--minutes 15] [--colour RUN]

Volumes of the package's own materials are those of the generators that come with it. A map of coloured grains is made
here, and trained on for `--minutes` with the quick preset, unless `--colour` names a run or a model of it.
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


def train(data: TrainingData, minutes: float) -> SliceGAN:
    """The best model after so many minutes with the quick preset."""
    preset = preset_named("quick")
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
    parser.add_argument("--colour", type=Path)
    arguments = parser.parse_args()
    for name, material in MATERIALS.items():
        files = micrographs(name)
        details = {"pixel_size": material.pixel_size, "unit": material.unit, "phase_names": material.phases}
        data = TrainingData.from_images(*(file.array for file in files), kind=material.kind, **details)
        draw(name, data, SliceGAN.load(f"sample:{name}", "cpu"))
    grains = TrainingData.from_images(coloured_grains(), kind="colour")
    draw(
        "colour",
        grains,
        SliceGAN.load(arguments.colour, "cpu") if arguments.colour else train(grains, arguments.minutes),
    )


if __name__ == "__main__":
    main()
