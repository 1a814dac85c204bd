"""Memory that was foretold and memory that was taken, over a grid of settings, each in a process of its own.

    python -m tests.reliability.memory_grid [NAME ...]

A training makes a few iterations with one update of the discriminator, an evaluation, a preview and a checkpoint. The
peak is what the process holds at the most beyond what it held with all libraries loaded and before the images were
made, or, of a volume, with the model loaded: that is what the estimates speak of.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

CHILD = "--child"
ALLOWED = 0.25


@dataclass(frozen=True)
class Case:
    """Settings whose memory is measured.

    Attributes
    ----------
    preset : str
        Whose networks and recipe it begins with.
    network, training : dict
        What is different.
    kind : str
        What the images are: "phases", "grey" or "colour".
    images, edge : int
        How many images, and their edge in pixels.
    iterations : int
        Of a training.
    threads : int
        Of the processor.
    shape : tuple
        Of a volume; empty for a training.
    format : str
        The ending of the volume's file; empty in memory.
    precision : str
        Of a volume.
    """

    preset: str = "quick"
    network: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    kind: str = "phases"
    images: int = 1
    edge: int = 256
    iterations: int = 3
    threads: int = 1
    shape: tuple[int, int, int] | None = None
    format: str = ""
    precision: str = "exact"


@dataclass(frozen=True)
class Found:
    """Bytes that were foretold and bytes that were taken."""

    estimated: int
    measured: int

    @property
    def error(self) -> float:
        """How far the estimate is off, of what was taken."""
        return self.estimated / self.measured - 1


_WIDE = {"channels": (128, 64, 32, 16), "discriminator_channels": (32, 64, 128, 256)}
_SMALL = {"channels": (16, 16, 8), "latent_channels": 4, "discriminator_channels": (8, 16, 32)}
_NOTHING = {"evaluation_iterations": 0, "balance_volumes": 0, "preview_seconds": 0}
_SIX = {"kernel": (6,) * 5, "padding": (4, 4, 4, 4, 6)}
TRAININGS = {
    "quick": Case(),
    "quick, two threads": Case(threads=2),
    "quick, small networks": Case(network=_SMALL),
    "quick, grey": Case(kind="grey"),
    "quick, colour": Case(kind="colour"),
    "quick, three images": Case(images=3),
    "quick, image of 2000 pixels": Case(edge=2000),
    "quick, grey image of 4000 pixels": Case(kind="grey", edge=4000),
    "quick, all slices": Case(training={"slices_per_axis": 0}),
    "quick, m_D = 8 and m_G = 16": Case(training={"discriminator_volumes": 8, "generator_volumes": 16}),
    "quick, m_D = 32": Case(training={"discriminator_volumes": 32}),
    "quick, m_G = 32": Case(training={"generator_volumes": 32}),
    "quick, 512 crops": Case(training={"real_crops": 512}),
    "quick, 16 bits": Case(training={"precision": "fast", "generator_volumes": 16}),
    "quick, no wide slices": Case(training={"wide_share": 0.0}),
    "quick, wide slices always": Case(training={"wide_share": 1.0}),
    "quick, judged by 128 volumes": Case(training={"balance_volumes": 128}),
    "quick, never judged": Case(training=_NOTHING),
    "quick, no penalty": Case(training={"penalty_weight": 0.0, "surface_tension": 0.0}),
    "quick, resize": Case(network={"upsampling": "resize"}),
    "large": Case("large"),
    "large, grey": Case("large", kind="grey"),
    "large, m_G = 16": Case("large", training={"generator_volumes": 16}),
    "large, wider": Case("large", network=_WIDE, training={"generator_volumes": 8}),
    "paper, m_D = 1 and m_G = 2": Case("paper", training={"discriminator_volumes": 1, "generator_volumes": 2}),
    "paper, 16 bits": Case(
        "paper", training={"discriminator_volumes": 1, "generator_volumes": 4, "precision": "fast"}, iterations=1
    ),
    "paper, three images": Case(
        "paper", images=3, training={"discriminator_volumes": 1, "generator_volumes": 2}, iterations=1
    ),
    "paper": Case("paper", iterations=1),
}
VOLUMES = {
    "volume": Case(shape=(128, 128, 128)),
    "volume of 256": Case(shape=(256, 256, 256)),
    "volume of 512": Case(shape=(512, 512, 512)),
    "volume, grey": Case(shape=(256, 256, 256), kind="grey"),
    "volume, colour": Case(shape=(256, 256, 256), kind="colour"),
    "volume, resize": Case(shape=(128, 128, 128), network={"upsampling": "resize"}),
    "volume, large": Case("large", shape=(256, 256, 256)),
    "volume, paper": Case("paper", shape=(128, 128, 128)),
    "volume, paper, 16 bits": Case("paper", shape=(256, 256, 256), precision="fast"),
    "volume, kernels of 6": Case("paper", network=_SIX, shape=(160, 160, 160)),
    "volume to .ome.zarr": Case(shape=(256, 256, 256), format=".ome.zarr"),
    "volume to .ome.zarr, colour": Case(shape=(256, 256, 256), kind="colour", format=".ome.zarr"),
    "volume to .ome.zarr, paper": Case("paper", shape=(256, 256, 256), format=".ome.zarr"),
    "volume to .tif": Case(shape=(256, 256, 256), format=".tif"),
    "volume to .npy": Case(shape=(256, 256, 256), format=".npy"),
    "volume to .raw": Case(shape=(256, 256, 256), format=".raw"),
    "volume to .vti": Case(shape=(256, 256, 256), format=".vti"),
}
CASES = TRAININGS | VOLUMES


def measured(name: str) -> Found:
    """Measure a case in a new process.

    Parameters
    ----------
    name : str
        One of `CASES`.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(CASES[name].threads)}
    command = [sys.executable, "-m", "tests.reliability.memory_grid", CHILD, name]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}")
    return Found(**json.loads(done.stdout.splitlines()[-1]))


def memory(what: str) -> int:
    """Bytes that this process holds ("VmRSS"), or has held at the most ("VmHWM"), as Linux tells it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(what))


def _train(case: Case, folder: Path) -> Found:
    from napari_slicegan.core import heldout, run, training  # noqa: F401  (their libraries are no part of it)
    from napari_slicegan.core.training_memory import training_bytes

    _warm_up()
    before = memory("VmRSS")
    data, network, recipe = _training_of(case)
    trainer = training.Trainer(data, network, recipe, "cpu", folder / "checkpoint.pt")
    for _ in trainer:
        pass
    return Found(training_bytes(data, network, recipe, "cpu"), memory("VmHWM") - before)


def _training_of(case: Case) -> tuple[Any, Any, Any]:
    """The images, the networks and the recipe."""
    from napari_slicegan.core.data import TrainingData
    from napari_slicegan.core.presets import preset_named

    preset = preset_named(case.preset)
    network = replace(preset.network, **case.network)
    end = {"iterations": case.iterations, "minutes": 0, "discriminator_steps": 1, "preview_seconds": 1e-3}
    judged = {"evaluation_iterations": case.iterations} if preset.training.evaluation_iterations else {}
    recipe = replace(preset.training, **{**end, **judged, **case.training})
    make = {
        "phases": TrainingData.from_labels,
        "grey": TrainingData.from_greyscale,
        "colour": TrainingData.from_colour,
    }[case.kind]
    return make(*(_image(case.kind, case.edge, seed) for seed in range(case.images))), network, recipe


def _image(kind: str, edge: int, seed: int) -> Any:
    """An image of blobs, which takes little memory to make."""
    import numpy as np

    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 3 if kind == "phases" else 256, (-(-edge // 8), -(-edge // 8)), np.uint8)
    image = cells.repeat(8, 0).repeat(8, 1)[:edge, :edge]
    return np.repeat(image[..., None], 3, axis=2) if kind == "colour" else image


def _generate(case: Case, folder: Path) -> Found:
    import torch

    from napari_slicegan.core.choices import OutputKind, Precision
    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.model_info import ModelInfo
    from napari_slicegan.core.networks import Generator
    from napari_slicegan.core.output.formats import format_of
    from napari_slicegan.core.output.streaming import stream
    from napari_slicegan.core.presets import preset_named
    from napari_slicegan.core.volume.estimate import estimate
    from napari_slicegan.core.volume.request import VolumeRequest

    kind, channels = OutputKind(case.kind), 1 if case.kind == "grey" else 3
    network = replace(preset_named(case.preset).network, **case.network, output=kind, image_channels=channels)
    model = SliceGAN(
        Generator(network, torch.Generator().manual_seed(0)),
        ModelInfo(network, (0, 1, 2) if kind is OutputKind.PHASES else ()),
    )
    _warm_up()
    before = memory("VmRSS")
    assert case.shape is not None
    request = VolumeRequest(case.shape, precision=Precision(case.precision))
    if case.format:
        stream(model, request, folder / f"volume{case.format}")
    else:
        model.generation(request).whole()
    kind = format_of(f"volume{case.format}") if case.format else None
    return Found(estimate(model, request, kind).memory_bytes, memory("VmHWM") - before)


def _warm_up() -> None:
    """Let torch load what it loads with its first convolution."""
    import torch

    torch.nn.functional.conv3d(torch.zeros(1, 1, 4, 4, 4), torch.zeros(1, 1, 2, 2, 2))


def _child(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        case = CASES[name]
        found = (_generate if case.shape else _train)(case, Path(folder))
    print(json.dumps({"estimated": found.estimated, "measured": found.measured}))


def main(names: list[str]) -> None:
    """Print a table of some cases, all of them without any name."""
    print("| settings | estimate | measured | off by |\n|---|---|---|---|")
    for name in names or CASES:
        found = measured(name)
        sizes = f"{found.estimated / 1e6:.0f} MB | {found.measured / 1e6:.0f} MB"
        print(f"| {name} | {sizes} | {100 * found.error:+.0f} % |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        _child(sys.argv[2])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("names", nargs="*", help="of cases; all by default")
        main(parser.parse_args().names)
