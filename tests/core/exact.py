"""Materials whose statistics are known in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LATTICE = np.array([0.2746673, 0.4437676, 0.2815651])
"""Shares of all directions nearest to the 3 edges, 6 face diagonals and 4 diagonals of a cube (Lehmann & Legland)."""


@dataclass(frozen=True)
class Spheres:
    """The Boolean model: balls of one radius anywhere, independent of each other, which may overlap.

    The formulas are those of the void between the balls, looked at in points, as voxels are here.
    """

    radius: float
    intensity: float  # centres per voxel

    @property
    def volume(self) -> float:
        return 4 / 3 * np.pi * self.radius**3

    @property
    def section(self) -> float:
        return np.pi * self.radius**2

    @property
    def void(self) -> float:
        return float(np.exp(-self.intensity * self.volume))

    @property
    def surface(self) -> float:
        """Area per volume."""
        return self.intensity * 4 * np.pi * self.radius**2 * self.void

    def union(self, distance: np.ndarray | float) -> np.ndarray:
        """Volume of two balls at a distance from each other."""
        d = np.minimum(np.asarray(distance, float), 2 * self.radius)
        lens = np.pi * (4 * self.radius + d) * (2 * self.radius - d) ** 2 / 12
        return 2 * self.volume - lens

    def pairs(self, distance: np.ndarray) -> np.ndarray:
        """Chance that two points at a distance both lie in the void."""
        return np.exp(-self.intensity * self.union(distance))

    def path(self, steps: np.ndarray, continuous: bool = False) -> np.ndarray:
        """Chance that steps + 1 neighbouring voxels of a line lie in the void, or all points between."""
        # Of equal balls in a row, each new one adds what it has not in common with the last one.
        step = self.section if continuous else self.union(1) - self.volume
        return np.exp(-self.intensity * (self.volume + steps * step))

    def draw(self, shape: tuple[int, int, int], seed: int) -> np.ndarray:
        """A piece (Z, Y, X) without a border: true in the balls."""
        rng, margin = np.random.default_rng(seed), self.radius
        solid = np.zeros(shape, bool)
        count = rng.poisson(self.intensity * np.prod([size + 2 * margin for size in shape]))
        for centre in rng.uniform(-margin, np.array(shape) + margin, (count, 3)):
            begin = np.maximum(np.ceil(centre - self.radius).astype(int), 0)
            part = tuple(
                slice(a, max(int(np.floor(c + self.radius)) + 1, 0)) for a, c in zip(begin, centre, strict=True)
            )
            view = solid[part]
            grids = np.ogrid[tuple(slice(a, a + size) for a, size in zip(begin, view.shape, strict=True))]
            view |= sum((grid - c) ** 2 for grid, c in zip(grids, centre, strict=True)) <= self.radius**2
        return solid


def spheres(fraction: float, radius: float) -> Spheres:
    """Balls of a radius that fill a fraction."""
    return Spheres(radius, -np.log(1 - fraction) / (4 / 3 * np.pi * radius**3))


def noise(shape: tuple[int, ...], shares: tuple[float, ...], seed: int) -> np.ndarray:
    """Phases without any correlation, uint8."""
    return np.random.default_rng(seed).choice(len(shares), shape, p=shares).astype(np.uint8)


def layers(shape: tuple[int, int, int], axis: int, edges: tuple[int, ...]) -> np.ndarray:
    """Layers across an axis, of these thicknesses again and again, in turn of the phases 0, 1, ..., uint8."""
    profile = np.repeat(np.arange(len(edges), dtype=np.uint8), edges)
    line = np.resize(profile, shape[axis])
    return np.broadcast_to(np.expand_dims(line, tuple(other for other in range(3) if other != axis)), shape).copy()


def ball(edge: int, radius: float, centre: float | None = None) -> np.ndarray:
    """One ball in the middle of a cube (edge, edge, edge), bool."""
    middle = (edge - 1) / 2 if centre is None else centre
    grids = np.ogrid[:edge, :edge, :edge]
    return np.asarray(sum((grid - middle) ** 2 for grid in grids) <= radius**2)
