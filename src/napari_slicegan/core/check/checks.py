"""Look at images before training on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, count, repeat
from typing import Any

import numpy.typing as npt

from napari_slicegan.core.check.border import border_findings
from napari_slicegan.core.check.directions import direction_findings
from napari_slicegan.core.check.drift import drift_findings
from napari_slicegan.core.check.fractions import fraction_findings, phase_shares
from napari_slicegan.core.check.planes import Planes, grey, planes_of
from napari_slicegan.core.check.result import (
    Crop,
    Finding,
    ImageCheck,
    PhaseShare,
    Severity,
    Structure,
    Topic,
    worst_known,
)
from napari_slicegan.core.check.rims import rim_findings
from napari_slicegan.core.check.shrinking import can_be_shrunk, shrinking_findings
from napari_slicegan.core.check.speckle import speckle_findings
from napari_slicegan.core.check.structure import (
    Frame,
    level_structure_of,
    recommended_edge,
    structure_findings,
    structure_of,
)
from napari_slicegan.core.check.values import value_findings
from napari_slicegan.core.check.words import Ruler, phase_labels
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.shrinking import check_times

Array = npt.NDArray[Any]

_ADVICE = (
    "Give a second image, and a third if the other two directions differ as well.",
    "Give three images, since the plane across the special axis is not alike in its two directions.",
)


def check(
    data: TrainingData,
    edge: int,
    target_error: float = 0.05,
    originals: Sequence[Array] = (),
    shrink: int = 1,
    smallest: int | None = None,
) -> ImageCheck:
    """Look at images before training on them.

    Parameters
    ----------
    data : TrainingData
        The images. Of more than 4 million pixels the middle is looked at, of a stack eight slices along z.
    edge : int
        Of a training crop, in pixels, after the images are shrunk.
    target_error : float
        Half the wanted 95 % interval of each phase's fraction, as a part of that fraction.
    originals : sequence of array
        The images as they were given to `data`, for offers in their own values; those of `data` when left out.
    shrink : int
        How many times the images of `data` will be shrunk.
    smallest : int, optional
        The shortest side of all that is trained on, in pixels, where `data` is a part of it.

    Returns
    -------
    ImageCheck
        Numbers, and findings with the gravest first.

    Raises
    ------
    DataError
        An image is smaller than a crop, or a number is out of range.
    """
    if not 0 < target_error < 1:
        raise DataError(f"The target error is {target_error:g}: give a part of the fraction, such as 0.05 for 5 %.")
    check_times(shrink)
    data.check_edge(edge * shrink)
    shortest = smallest or min(min(source.shape[1:3]) for source in data.sources)
    return _check(data, Frame(edge * shrink, shortest, shrink, partial(can_be_shrunk, data)), target_error, originals)


def _check(data: TrainingData, frame: Frame, target_error: float, originals: Sequence[Array]) -> ImageCheck:
    """The same, of numbers that are known to be right."""
    shapes = tuple(source.shape[1:3] for source in data.sources)
    data, originals = _without(data, originals or data.sources, borders := _borders(data))
    views = planes_of(data)
    levels = list(map(_level_structure, views))
    found = list(map(_of_image, repeat(data), count(), views, levels, originals))
    largest = max(map(_told, views, levels, found), key=lambda structure: structure.size)
    ruler = Ruler(data.pixel_size, data.unit)
    drifts = any(map(_drifts, found))
    shares = _shares(views, data, target_error, drifts)
    findings = [
        *structure_findings(largest, frame, ruler),
        *shrinking_findings(data, frame.shrink, target_error),
        *([] if drifts else fraction_findings(shares, target_error, frame.smallest, ruler)),
        *_of_images(data, borders, found),
    ]
    wanted = recommended_edge(largest, frame.edge)
    return ImageCheck(
        data.kind,
        shapes,
        tuple(shares),
        largest,
        frame.edge,
        wanted,
        min(1.0, frame.edge / wanted),
        worst_known(shares).needed_edge if shares else math.nan,
        target_error,
        data.pixel_size,
        data.unit,
        _gravest_first(findings),
        frame.shrink,
    )


def _shares(views: Sequence[Planes], data: TrainingData, target_error: float, drifts: bool) -> list[PhaseShare]:
    """How much there is of each phase; where it drifts, no larger image would tell that better."""
    names = data.phase_names or ("",) * len(data.phases)
    shares = phase_shares(views, data.phases, target_error)
    shares = [replace(share, name=name) for share, name in zip(shares, names, strict=True)]
    return [replace(share, needed_edge=math.nan) for share in shares] if drifts else shares


def _gravest_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    severities = list(Severity)[::-1]
    return tuple(sorted(findings, key=lambda finding: severities.index(finding.severity)))


def _borders(data: TrainingData) -> list[list[Finding]]:
    """What lies along the edges of each image; not asked of stacks."""
    return [
        [] if len(source) > 1 else border_findings(grey(source[0], data.kind), number, bool(data.phases))
        for number, source in enumerate(data.sources)
    ]


def _without(
    data: TrainingData, originals: Sequence[Array], borders: Sequence[Sequence[Finding]]
) -> tuple[TrainingData, list[Array]]:
    """The images without what lies along their edges, and one plane of each as it was given."""
    sources, planes = list(data.sources), []
    for number, (source, original) in enumerate(zip(data.sources, originals, strict=False)):
        plane = original[len(original) // 2] if len(source) > 1 or original is source else original
        for crop in (item.offer for item in borders[number] if isinstance(item.offer, Crop)):
            part = slice(crop.top, crop.bottom), slice(crop.left, crop.right)
            sources[number], plane = source[:, *part], plane[part]
        planes.append(plane)
    return replace(data, sources=tuple(sources)), planes


def _of_image(data: TrainingData, number: int, view: Planes, level: Structure, plane: Array) -> list[Finding]:
    """What one image tells, with its structure apart from a drift; of a stack only what its slices have in common."""
    if data.phases:
        found = rim_findings(view, data.phases, number) or speckle_findings(view, phase_labels(data))
    else:
        found = value_findings(plane, number)
    if len(data.sources[number]) > 1 or level.size < 1:
        return found
    if len(data.sources) < 3 and number == 0:
        found += direction_findings(view, level, _ADVICE[len(data.sources) - 1])
    return found + drift_findings(view, level, phase_labels(data))


def _of_images(data: TrainingData, borders: Sequence[list[Finding]], found: Sequence[list[Finding]]) -> list[Finding]:
    """What was found along the edges of the images and in them, with their names."""
    pairs = enumerate(zip(borders, found, strict=False))
    return [_named(item, data, number) for number, items in pairs for item in chain(*items)]


def _drifts(found: Sequence[Finding]) -> bool:
    return any(item.topic is Topic.DRIFT for item in found)


def _level_structure(view: Planes) -> Structure:
    """Apart from a drift, of one image; of a stack as it is."""
    return level_structure_of(view) if len(view.pixels) == 1 else structure_of(view)


def _told(view: Planes, level: Structure, found: Sequence[Finding]) -> Structure:
    """The structure of an image as it is, or apart from the drift that was found."""
    return level if _drifts(found) or len(view.pixels) > 1 else structure_of(view)


def _named(finding: Finding, data: TrainingData, number: int) -> Finding:
    """Say which image is meant where there are several."""
    if len(data.sources) == 1 or len(data.sources[number]) > 1:
        return finding
    name = data.names[number] if number < len(data.names) else f"Image {number + 1}"
    return replace(finding, sentence=f"{name}: {finding.sentence}")
