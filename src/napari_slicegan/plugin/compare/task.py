"""What the *Compare* dock asks for, as workers of napari do it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from napari_slicegan.core.check.words import phase_labels
from napari_slicegan.core.comparison.config import ComparisonConfig
from napari_slicegan.core.comparison.matching import cut
from napari_slicegan.core.data import MAX_PHASES, TrainingData
from napari_slicegan.core.values import distinct_values
from napari_slicegan.plugin.layers import LayerImage, training_data
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.preferences import preferences
from napari_slicegan.plugin.work.worker import Control, no_defects, reporter

if TYPE_CHECKING:
    from napari_slicegan.core.comparison.result import Comparison
    from napari_slicegan.core.comparison.samples import ModelVolumes, Volume
    from napari_slicegan.core.model import SliceGAN


@dataclass(frozen=True)
class LayerVolume:
    """A volume of a layer: its array, which is not copied, and where it comes from."""

    image: LayerImage
    history: dict[str, Any]


@dataclass(frozen=True)
class ComparisonOrder:
    """What to compare.

    Attributes
    ----------
    truth : tuple of LayerImage
        One, two or three images, or one volume.
    kind : str
        An `OutputKind` or "auto".
    axis : str
        The special axis of two images.
    judged : tuple of LayerVolume, or ModelEntry
        Volumes of layers, or the model that makes them.
    config : ComparisonConfig
        How to compare.
    shrink : int
        So many pixels of the images along an edge become one before.
    """

    truth: tuple[LayerImage, ...]
    kind: str
    axis: str
    judged: tuple[LayerVolume, ...] | ModelEntry
    config: ComparisonConfig
    shrink: int = 1


@dataclass(frozen=True)
class Compared:
    """What a comparison found, and the same without bands of curves as plain JSON for a layer's metadata."""

    comparison: Comparison
    record: dict[str, Any]


def compare_layers(order: ComparisonOrder, control: Control) -> Generator[object, None, Compared]:
    """Compare as ordered; gives what it is doing (str) and the finished fraction (float)."""
    with no_defects("The comparison"):
        yield 0.0
        control.check()
        from napari_slicegan.core.comparison.compare import compare
        from napari_slicegan.core.comparison.report import as_json

        truth = truth_volume(order) or training_data(order.truth, order.kind, order.axis, order.shrink)
        names = _names(truth, order)
        comparison = compare(truth, volumes_of(_loaded(order)), order.config, _teller(control), names)
        return Compared(comparison, as_json(_without_bands(comparison)))


def _loaded(order: ComparisonOrder) -> ComparisonOrder:
    """The same order with a model that can make volumes."""
    entry = order.judged
    if not isinstance(entry, ModelEntry) or entry.loaded is not None:
        return order
    from napari_slicegan.core.model import SliceGAN  # imports torch

    return replace(order, judged=replace(entry, model=SliceGAN.load(entry.path, preferences().device)))


def _names(truth: TrainingData | Volume, order: ComparisonOrder) -> tuple[str, ...]:
    """What the phases of the truth are called, in the order of their values; () where none has a name.

    Which phases a volume has is in its middle, all that is compared; only where there are names is it read for them.
    """
    if isinstance(truth, TrainingData):
        return phase_labels(truth) if truth.phase_names else ()
    names = order.truth[0].names
    if not names:
        return ()
    middle = cut(truth, (order.config.largest,) * 3).voxels
    phases = distinct_values(middle, MAX_PHASES) if middle.ndim == 3 else None
    return tuple(names.get(phase) or f"phase {phase}" for phase in phases or ())


def _without_bands(comparison: Comparison) -> Comparison:
    """Two thirds of a record would be bands that nobody looks for there."""
    nothing = np.empty(0)
    rows = []
    for row in comparison.rows:
        sides = {name: getattr(row, name) for name in ("truth", "volumes", "random")}
        bare = {name: side and replace(side, low=nothing, high=nothing) for name, side in sides.items()}
        rows.append(replace(row, **bare))
    return replace(comparison, rows=tuple(rows))


def export_report(comparison: Comparison, directory: Path, control: Control) -> Generator[object, None, Path]:
    """Write the report of a comparison into a new directory; returns its page."""
    with no_defects("The export of the report"):
        yield 0.0
        control.check()
        from napari_slicegan.core.comparison.report import write_report  # imports matplotlib

        return write_report(comparison, directory)


def truth_volume(order: ComparisonOrder) -> Volume | None:
    """A volume as truth, of which only a part is read; None for what has to be read in whole.

    That is images, and what is of another kind than it looks.
    """
    first = order.truth[0]
    if len(order.truth) == 1 and first.array.ndim - first.rgb == 3 and order.kind == "auto":
        return _volume(first, {})
    return None


def volumes_of(order: ComparisonOrder) -> list[Volume] | ModelVolumes:
    """The volumes that are judged; nothing is read or made yet."""
    from napari_slicegan.core.comparison.samples import ModelVolumes

    if isinstance(order.judged, ModelEntry):
        entry, config = order.judged, order.config
        model = cast("SliceGAN", entry.model)  # one that is not loaded says what it is, which is enough to check it
        return ModelVolumes(model, range(config.seeds), config.shape, entry.name)
    return [_volume(volume.image, volume.history) for volume in order.judged]


def _volume(image: LayerImage, history: dict[str, Any]) -> Volume:
    from napari_slicegan.core.comparison.samples import Volume

    return Volume(image.array, image.pixel_size, image.unit, image.name, history)


def _teller(control: Control) -> Callable[[float, str], None]:
    """What a comparison tells its progress to: the fraction now and then, what it is doing when that changes."""
    tell, before = reporter(control), ""

    def progress(fraction: float, what: str) -> None:
        nonlocal before
        if what != before:
            before = what
            control.report(what)
        tell(fraction)

    return progress
