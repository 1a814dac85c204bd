"""Comparisons that nobody computed: every verdict, numbers and curves, what is missing, and names that bite."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.result import Comparison, Estimate, Group, Judgement, Picture, Row, Verdict

HOSTILE = "<script>alert(1)</script>"
"""What somebody may call a layer or a phase."""

NAMES = ("pore", "NMC & carbon", HOSTILE)
PROVENANCE: dict[str, Any] = {
    "settings": {"seeds": 4, "shape": [128, 128, 128], "reach": 0, "slow": True},
    "versions": {"napari-slicegan": "0.1.0", "numpy": "2.4.6"},
    "volumes": [{"seed": 0, "model": {"name": HOSTILE, "iterations": 1200, "minutes": 4.0}}],
}


def number(value: float, uncertainty: float = float("nan"), spread: float = float("nan")) -> Estimate:
    """A number with the interval of a normal distribution."""
    return Estimate(value, uncertainty, (value - 1.96 * uncertainty, value + 1.96 * uncertainty), spread)


def curve(values: np.ndarray, half: float = 0.01) -> Estimate:
    """A curve with a band of the same width everywhere; its number is the mean of the curve."""
    mean = float(values.mean())
    return replace(number(mean, half / 2, half / 3), curve=values, low=values - half, high=values + half)


def a_comparison(**changes: Any) -> Comparison:
    """Three phases, a micrograph as truth, four volumes."""
    fields = {
        "kind": OutputKind.PHASES,
        "phases": (0, 128, 255),
        "phase_names": NAMES,
        "voxel_size": 0.4,
        "unit": "um",
        "truth": "cathode.tif: 3 phases 0, 128, 255; 0.4 um per pixel; 384 x 384",
        "truth_is_volume": False,
        "volumes": (f"{HOSTILE}, seed 0: 128 x 128 x 128", "model, seed 1: 128 x 128 x 128"),
        "rows": (*_fractions(), *_correlations(), *_others()),
        "notes": ("Isotropy is assumed where surfaces come from boundaries.", f"The layer {HOSTILE} was cropped."),
        "pictures": _pictures((48, 64)),
        "provenance": PROVENANCE,
    }
    return Comparison(**(fields | changes))


def a_grey_comparison(**changes: Any) -> Comparison:
    """Grey levels, a volume as truth, so that there are natural spreads; the unit is not known."""
    x = np.arange(0.0, 256)
    histogram = [1 / (1 + np.exp(-(x - middle) / 12)) for middle in (120, 124, 128)]
    distance = _row(
        "histogram/0", Group.HISTOGRAMS, "Cumulative histogram", [curve(each) for each in histogram], (0.6, 0.9)
    )
    rows = (
        replace(distance, abscissa="grey level", x_unit="", x=x),
        _row("patches/z", Group.PATCHES, "Patches normal to z", [number(0.02, 0.002), number(0.05, 0.004)], (7.5, 3.0)),
    )
    whole = {"kind": OutputKind.GREY, "phases": (), "phase_names": (), "voxel_size": 1.0, "unit": "pixel"}
    found = {"truth": "gravel.tif: grey; 128 x 128 x 128", "truth_is_volume": True, "rows": rows, "notes": ()}
    return a_comparison(**(whole | found | {"pictures": _pictures((64, 64), levels=256)} | changes))


def _fractions() -> list[Row]:
    values = [(0.412, 0.018, 0.402, 0.004), (0.489, 0.017, 0.4993, 0.003), (0.099, 0.0052, 0.0987, 0.0012)]
    return [
        _row(
            f"fraction/{index}",
            Group.FRACTIONS,
            f"Volume fraction of {NAMES[index]}",
            [number(truth, error), number(volume, volume_error, 2 * volume_error), number(truth, 1e-4)],
            (abs(volume - truth) / error, float("nan")),
        )
        for index, (truth, error, volume, volume_error) in enumerate(values)
    ]


def _correlations() -> list[Row]:
    rows = []
    x = 0.4 * np.arange(65.0)
    for axis, length in zip("zyx", (4.0, 6.0, 6.2), strict=True):
        for pair in ("0-0", "0-1", "1-1"):
            decay = np.exp(-x / length) if pair[0] == pair[2] else -np.exp(-x / length)
            truth, volumes = (0.16 + 0.24 * decay, 0.165 + 0.23 * decay)
            row = _row(
                f"correlation/axis/{axis}/{pair}",
                Group.CORRELATIONS,
                f"S2 of {pair} along {axis}",
                [curve(truth), curve(volumes, 0.006), curve(np.where(x > 0, 0.16, 0.4), 0.001)],
                (1.3 if axis != "z" else 3.4, float("nan")),
            )
            rows.append(replace(row, abscissa="distance", x_unit="um", x=x))
    return rows


def _others() -> list[Row]:
    surface = _row(
        "surface/0-1", Group.SURFACES, "Interface of pore | NMC & carbon",
        [number(0.2431, 0.0098), number(0.2712, 0.0021, 0.004), number(1.23, 0.002)], (2.8, float("nan")), "1/um",
    )  # fmt: skip
    small = Judgement(Verdict.TOO_SMALL, 0.004, 0.4)
    line = _row(
        "triple/0-1-2", Group.TRIPLE_LINES, f"Triple lines of {HOSTILE}",
        [number(0.05, 0.03), number(0.054, 0.001), number(2.1, 0.01)], (0.1, float("nan")), "1/um^2",
    )  # fmt: skip
    nothing = Judgement(Verdict.MISSING)
    only_3d = Judgement(Verdict.ONLY_3D)
    volumes = number(0.987, 0.004, 0.008)
    connected = Row(
        "connectivity/largest/1", Group.CONNECTIVITY, "Largest cluster of NMC & carbon", "", None, volumes,
        number(0.9), only_3d, only_3d, note="Connectivity exists in 3D only.",
    )  # fmt: skip
    thickness = Row(
        "thickness/0", Group.THICKNESS, "Mean thickness of pore", "um", None, number(3.21, 0.08), None, only_3d, nothing
    )
    diffusivity = Row(
        "diffusivity/z/0", Group.TRANSPORT, "Relative diffusivity of pore along z", "", None, None, None, nothing,
        nothing, note='Needs taufactor: pip install "napari-slicegan[tortuosity]".',
    )  # fmt: skip
    return [surface, replace(line, judgement=small), connected, thickness, diffusivity]


def _row(
    key: str, group: Group, name: str, sides: list[Estimate], multiples: tuple[float, float], unit: str = ""
) -> Row:
    """A row whose verdict follows from the first multiple; the second is of the natural spread."""
    truth, volumes, *random = sides
    multiple, natural = multiples
    verdict = Verdict.DIFFERS if multiple > 2 else Verdict.AGREES
    judgement = Judgement(verdict, volumes.value - truth.value, multiple, natural)
    of_random = Judgement(Verdict.DIFFERS, 0.5, 40.0) if random else Judgement(Verdict.MISSING)
    return Row(key, group, name, unit, truth, volumes, random[0] if random else None, judgement, of_random)


def _pictures(shape: tuple[int, int], levels: int = 3) -> tuple[Picture, ...]:
    rng = np.random.default_rng(0)
    return tuple(
        Picture(f"{side} normal to {axis}", rng.integers(0, levels, shape, dtype=np.uint8), side == HOSTILE)
        for side in (HOSTILE, "Volume")
        for axis in "zyx"
    )
