"""Train the generators that come with the package, and write them into it.

    python tools/train_samples.py [MATERIAL ...] [--minutes 30] [--seed 0] [--runs DIR]

Each is trained on a material of the package, with the preset `quick`, and the fibres, which are long, with `large`. The
best weights are stored with 16 bits.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.events import Evaluation
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.presets import preset_named
from napari_slicegan.core.run import Run
from napari_slicegan.core.sample_models import FOLDER
from napari_slicegan.core.synthetic import MATERIALS, micrographs

_PRESETS = {"fibres": "large"}
_CARD = {
    "author": "napari-slicegan",
    "licence": "BSD-3-Clause",
    "notes": "Trained on a micrograph that the package makes itself; a first thing to look at, and to start from.",
}


def train(name: str, minutes: float, seed: int, folder: Path) -> SliceGAN:
    """Train on the micrographs of a material."""
    material, files = MATERIALS[name], micrographs(name)
    planes = [f", slices normal to {normal}" for normal in material.normals] if len(files) > 1 else [""]
    data = TrainingData.from_images(
        *(file.array for file in files),
        kind=material.kind,
        pixel_size=material.pixel_size,
        unit=material.unit,
        names=tuple(name + plane for plane in planes),
        phase_names=material.phases,
        phase_colours=material.colours,
    )
    preset = preset_named(_PRESETS.get(name, "quick"))
    recipe = replace(preset.training, minutes=minutes, seed=seed, patience=0)
    run, trainer = Run.start(folder / f"{name}-{seed}", data, preset.network, recipe, preset.name, "cpu")
    for event in run.record(trainer):
        if isinstance(event, Evaluation):
            print(f"{name} {event}", flush=True)
    return SliceGAN.load(run.path, "cpu")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("materials", nargs="*", default=list(MATERIALS), metavar="MATERIAL")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=Path, help="where the runs stay; by default they go")
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.materials:
            model = train(name, arguments.minutes, arguments.seed, arguments.runs or Path(scratch))
            title = MATERIALS[name].title
            model.info = replace(model.info, card={"title": title, **_CARD})
            model.save(FOLDER / f"{name}.safetensors", half=True)


if __name__ == "__main__":
    main()
