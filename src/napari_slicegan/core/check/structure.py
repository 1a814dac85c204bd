"""How large structures are, and which crop shows enough of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_slicegan.core.check.planes import Planes
from napari_slicegan.core.check.result import Finding, Severity, Shrink, Structure, Topic
from napari_slicegan.core.check.surface import without_surface
from napari_slicegan.core.check.words import Ruler
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.shrinking import MOST_TIMES
from napari_slicegan.core.statistics.correlation import two_point_correlation

_FORGOTTEN = 0.1  # normalised correlation at which a structure ends
_ENOUGH, _FEW, _MANY = 2, 1.5, 25  # sizes of the largest structures across a crop
_AT_LEAST = 3  # of them across an image, or it is too small whatever the crop
_LONG, _FINEST = 3, 3  # times as long as thick; pixels that must be left of the thickness when an image is shrunk
_LONGEST = 512  # pixels: no correlation is followed further

Field = npt.NDArray[np.bool_] | npt.NDArray[np.float32]


def structure_of(planes: Planes) -> Structure:
    """How far the largest structures of one image reach.

    Parameters
    ----------
    planes : Planes
        Of phases or grey levels.

    Returns
    -------
    Structure
        Measured with `two_point_correlation` along columns and rows.
    """
    return _structure(planes.indicators(), is_noisy=not planes.phases)


def level_structure_of(planes: Planes) -> Structure:
    """How far the largest structures of one image reach when a drift across it is taken away first.

    Parameters
    ----------
    planes : Planes
        One image.

    Returns
    -------
    Structure
        Measured on what `without_surface` leaves of the indicators, or brighter than the surface.
    """
    if not planes.phases:
        return _structure([without_surface(planes.pixels[0])[None] > 0], is_noisy=True)
    return _structure([without_surface(indicator[0])[None] for indicator in planes.indicators()])


def _structure(fields: Sequence[Field], is_noisy: bool = False) -> Structure:
    """Of fields (N, H, W), truth values or numbers, that may have noise in each pixel: the longest along each axis."""
    rows, columns = (max(_length(field, axis, is_noisy) for field in fields) or math.inf for axis in (1, 2))
    halves = [min(size // 2, _LONGEST) for size in fields[0].shape[1:]]
    bounded = rows < halves[0] and columns < halves[1]
    return Structure(min(rows, halves[0]), min(columns, halves[1]), bounded)


def _length(field: Field, axis: int, is_noisy: bool) -> float:
    """Distance in pixels at which the normalised correlation falls below the end, inf if it does not.

    Noise of single pixels correlates at no distance: without it, the correlation would begin where the line through
    the next two distances says.
    """
    mean, variance = float(field.mean()), float(field.var())
    if not variance:
        return 0.0
    curve = two_point_correlation(field, axis, min(field.shape[axis] // 2, _LONGEST))
    curve = (curve - mean**2) / variance
    end = _FORGOTTEN
    if is_noisy and len(curve) > 2 and curve[1] > _FORGOTTEN:  # else there is nothing but noise
        end *= min(1.0, max(curve[1], 2 * curve[1] - curve[2]))
    below = np.flatnonzero(curve < end)
    if not below.size:
        return math.inf
    last = int(below[0]) - 1  # curve[0] is 1
    return float(last + (curve[last] - end) / (curve[last] - curve[last + 1]))


def recommended_edge(structure: Structure, edge: int) -> int:
    """Edge of a crop that shows two of the largest structures; of long ones that run through, two beside each other.

    Parameters
    ----------
    structure : Structure
        Of the image with the largest structures.
    edge : int
        Of the crop that there is.

    Returns
    -------
    int
        In pixels.
    """
    return math.ceil(_ENOUGH * (_thickness(structure) if _run_through(structure, edge) else structure.size))


def _run_through(structure: Structure, edge: int) -> bool:
    """Whether structures are so long in one direction, as fibres are, that a crop need not show their ends."""
    thickness = _thickness(structure)
    return edge < _FEW * structure.size and structure.size >= _LONG * thickness and edge >= _FEW * thickness


def _thickness(structure: Structure) -> float:
    return min(structure.rows, structure.columns)


@dataclass(frozen=True)
class Frame:
    """What the structures of an image are held against; all lengths in pixels of the image as it is.

    Attributes
    ----------
    edge : int
        Of a crop.
    smallest : int
        The shortest side of all that is trained on.
    shrink : int
        How many times the image will be shrunk.
    can_shrink : callable
        Whether it can be shrunk so many times.
    """

    edge: int
    smallest: int
    shrink: int = 1
    can_shrink: Callable[[int], bool] = lambda _: True

    def shown(self, pixels: int) -> str:
        """An edge of a crop in the pixels that crops have: "25 pixels of the shrunk image"."""
        return f"{math.ceil(pixels / self.shrink)} pixels{' of the shrunk image' * (self.shrink > 1)}"

    def larger_preset(self, least: int) -> str | None:
        """The first preset that has larger crops, and at least such ones, which fit into the images."""
        edges = {name: preset.network.edge * self.shrink for name, preset in PRESETS.items()}
        return next((name for name, edge in edges.items() if max(self.edge + 1, least) <= edge <= self.smallest), None)


def structure_findings(structure: Structure, frame: Frame, ruler: Ruler) -> list[Finding]:
    """Compare the largest structures with a training crop.

    Parameters
    ----------
    structure : Structure
        Of the image with the largest.
    frame : Frame
        The crop, and what else could be.
    ruler : Ruler
        For the words.

    Returns
    -------
    list of Finding
        None when a crop shows enough and not too much.
    """
    shown = frame.edge / structure.size
    numbers = {"size": structure.size, "edge": frame.edge, "shown": shown}
    if structure.size < 1:
        sentence = (
            "The image has no structure: neighbouring pixels have nothing to do with each other, as in pure noise "
            f"(their correlation ends within {structure.size:.1f} pixels). Choose another image or region."
        )
        return [Finding(Severity.PROBLEM, Topic.STRUCTURE, sentence, numbers)]
    least = "" if structure.is_bounded else "at least "
    if _run_through(structure, frame.edge):
        direction = "up and down" if structure.rows > structure.columns else "left and right"
        sentence = (
            f"The structures are {least}{ruler.length(structure.size)} long {direction}, and run through a crop of "
            f"{frame.edge} pixels: the volume cannot know where they end{_longer(frame)}."
        )
        return [Finding(Severity.NOTE, Topic.STRUCTURE, sentence, numbers)]
    if shown < _FEW:
        sentence = (
            f"The largest structures are {least}{ruler.length(structure.size)} long, so that a crop of {frame.edge} "
            f"pixels shows only {shown:.1f} of them"
        )
        advice, offer = _advice(structure, frame)
        return [Finding(Severity.WARNING, Topic.STRUCTURE, sentence + advice, numbers, offer)]
    if shown > _MANY:
        what = "shrinking the image less" if frame.shrink > 1 else "a finer resolution"
        sentence = (
            f"The largest structures are only {ruler.length(structure.size)} long, so that a crop of {frame.edge} "
            f"pixels shows {shown:.0f} of them across and none in detail: {what} gives smoother shapes."
        )
        return [Finding(Severity.NOTE, Topic.STRUCTURE, sentence, numbers)]
    return []


def _longer(frame: Frame) -> str:
    """Where a preset has larger crops, that it keeps long structures longer."""
    preset = frame.larger_preset(0)
    return f", and makes them longer with the preset {preset!r}" if preset else ""


def _advice(structure: Structure, frame: Frame) -> tuple[str, Shrink | None]:
    """The end of a sentence, and what the program can do about it."""
    wanted, smallest = recommended_edge(structure, frame.edge), frame.smallest
    if smallest < max(wanted, _AT_LEAST * structure.size):
        shows = f", and the image only {smallest / structure.size:.1f}"
        return f"{shows}: use a larger one, with crops of {frame.shown(wanted)}.", None
    preset = frame.larger_preset(wanted)
    crops = f"choose the preset {preset!r}" if preset else f"train with crops of {frame.shown(wanted)}"
    cropped = frame.edge // frame.shrink
    times = math.ceil(wanted / cropped)
    fits = times <= MOST_TIMES and _thickness(structure) >= _FINEST * times and smallest >= cropped * times
    if fits and frame.can_shrink(times):
        return f": shrink the image by a factor of {times}, or {crops}.", Shrink(times)
    return f": {crops}.", None
