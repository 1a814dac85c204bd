"""Whether the stated 95 % intervals of an image hold what is true of its material, 19 times of 20.

    python benchmarks/error_bars.py [--images 200] [--edge 192]

Cuts images from fields that are so large that their own numbers are (nearly) those of the material, tells what each
image knows as a comparison does, and counts how often the stated interval holds the number of the field; of a curve,
each of its points counts. A rough figure of the scatter of a count of 200: 1.5 %.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from scipy import fft, stats

from napari_slicegan.core import synthetic
from napari_slicegan.core.comparison.judge import band
from napari_slicegan.core.comparison.known import Known
from napari_slicegan.core.comparison.material import Material
from napari_slicegan.core.comparison.quantities import of_phases
from napari_slicegan.core.comparison.truth import Truth, know_images
from napari_slicegan.core.data import TrainingData

FIELDS, SIZE, REACH = 10, 1024, 32


def disks(seed: int, radius: float = 8, fraction: float = 0.3) -> np.ndarray:
    """Overlapping disks (Boolean model) on a torus."""
    rng = np.random.default_rng(seed)
    number = rng.poisson(-np.log(1 - fraction) / (np.pi * radius**2) * SIZE**2)
    image, around = np.zeros((SIZE, SIZE), np.uint8), np.arange(-int(radius) - 1, int(radius) + 2)
    for y, x in rng.uniform(0, SIZE, (number, 2)):
        rows, columns = int(y) + around, int(x) + around
        inside = (rows[:, None] - y) ** 2 + (columns - x) ** 2 <= radius**2
        image[np.ix_(rows % SIZE, columns % SIZE)] |= inside
    return image


def gaussian(seed: int, width: float = 6, fraction: float = 0.5) -> np.ndarray:
    """A Gaussian random field with a Gaussian correlation, cut at a level, on a torus."""
    noise = np.random.default_rng(seed).normal(size=(SIZE, SIZE))
    waves = 2 * np.pi * np.hypot(*np.meshgrid(fft.fftfreq(SIZE), fft.fftfreq(SIZE)))
    filtered = np.exp(-((waves * width) ** 2) / 2)
    field = fft.ifft2(fft.fft2(noise) * filtered).real / np.sqrt((filtered**2).mean())
    return (field > stats.norm.isf(fraction)).astype(np.uint8)


def cathode(seed: int) -> np.ndarray:
    """Planes of the package's own material of three phases."""
    return synthetic.volume("cathode", (1, SIZE, SIZE), 100 + seed)[0]


MATERIALS: dict[str, Callable[[int], np.ndarray]] = {
    "disks, 30 %": disks,
    "disks, 5 %": lambda seed: disks(seed, fraction=0.05),
    "Gaussian field, 50 %": gaussian,
    "cathode, 3 phases": cathode,
}


def know(image: np.ndarray, resamples: int) -> dict[str, Known]:
    """What a comparison knows of an image."""
    truth = Truth.of(TrainingData.from_images(image), 256)
    phases = len(truth.data.phases)
    rows = tuple(row for row in of_phases([str(phase) for phase in range(phases)], REACH) if "/y/" not in row.key)
    rows = tuple(row for row in rows if "/x/" not in row.key)  # one image says the same for all axes
    material = Material(truth.data.kind, phases, REACH, rows, resamples)
    return know_images(truth, material, truth.fractions(), lambda _: None)


def whole(fields: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The numbers of the material: means over the fields."""
    each = [know(field, 2) for field in fields]
    return {key: np.mean([one[key].value for one in each], axis=0) for key in each[0]}


def _kind(key: str) -> str:
    """What rows are counted together: those of a phase, or of two."""
    name, last = key.split("/")[0], key.split("/")[-1]
    if name == "correlation":
        first, second = last.split("-")
        return f"{name} of phase {first}" if first == second else f"{name} of two phases"
    return f"{name} of phase {last}" if len(last) == 1 else name


def main() -> None:
    """Print how often the intervals hold the truth, by kinds of rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--edge", type=int, default=192)
    arguments = parser.parse_args()
    for name, make in MATERIALS.items():
        fields = [make(seed) for seed in range(FIELDS)]
        true = whole(fields)
        rng, held = np.random.default_rng(0), defaultdict(list)
        for number in range(arguments.images):
            y, x = rng.integers(0, SIZE - arguments.edge, 2)
            image = fields[number % FIELDS][y : y + arguments.edge, x : x + arguments.edge]
            for key, known in know(image, 200).items():
                low, high = band(known, is_positive=True)
                held[_kind(key)].append(np.mean((low <= true[key]) & (true[key] <= high)))
        print(f"{name}, {arguments.images} images of {arguments.edge} x {arguments.edge}", flush=True)
        for kind, hits in held.items():
            print(f"    {kind:32} {np.mean(hits):6.1%}")


if __name__ == "__main__":
    main()
