"""How far the volume fraction of what is trained on is from that of the image, by how crops are drawn.

    python benchmarks/crops.py [--images 48] [--crops 20000]

Images are planes of Gaussian random fields cut at a level. Prints root mean squares over images.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from screening import field

from napari_slicegan.core.choices import Crops, Symmetry
from napari_slicegan.core.crops import CropSampler
from napari_slicegan.core.data import TrainingData


def errors(image: np.ndarray, edge: int, crops: int) -> tuple[float, float]:
    """Fraction of representative crops, and of uniform ones, less that of the image."""
    data = TrainingData.from_labels(image)
    drawn = CropSampler(data, edge, Symmetry.NONE, Crops.REPRESENTATIVE)
    rng = torch.Generator().manual_seed(0)
    parts = [drawn.draw(0, 100, rng)[:, 1].mean().item() for _ in range(crops // 100)]
    everywhere = sliding_window_view(image, (edge, edge)).mean(dtype=np.float64)
    return float(np.mean(parts) - image.mean()), float(everywhere - image.mean())


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=48)
    parser.add_argument("--crops", type=int, default=20_000)
    options = parser.parse_args()
    print("| image | crop | representative | uniform |\n|---|---|---|---|")
    for size in (256, 128):
        whole = [field(2 * size, seed=seed) for seed in range(-(-options.images // 4))]
        images = [part for one in whole for half in np.split(one, 2) for part in np.split(half, 2, axis=1)]
        for edge in (32, 64):
            found = np.array([errors(image, edge, options.crops) for image in images[: options.images]])
            print(f"| {size} | {edge} | {' | '.join(f'{error:.4f}' for error in np.sqrt((found**2).mean(axis=0)))} |")


if __name__ == "__main__":
    main()
