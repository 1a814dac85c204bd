"""What the *Compare* dock does in threads: comparing, and writing the report."""

from __future__ import annotations

import copy
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_slicegan.core.words import duration
from napari_slicegan.plugin.compare.task import Compared, ComparisonOrder, compare_layers, export_report
from napari_slicegan.plugin.work.job import Job, State, Status

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_slicegan.core.comparison.result import Comparison
    from napari_slicegan.plugin.models import Models

RECORD = "slicegan_comparison"
"""Where the metadata of a layer has the comparison that it was part of."""

_EARLY = 0.02  # of the work: before that, nobody knows how long the rest takes


class ComparisonJob(Job):
    """The comparison that a viewer is making.

    Attributes
    ----------
    result : Comparison or None
        Of the last one that came to its end.
    """

    name = "Comparing volumes"

    def __init__(self, viewer: ViewerModel, models: Models) -> None:
        super().__init__(viewer, models)
        self.result: Comparison | None = None

    def start(self, order: ComparisonOrder, layers: Sequence[Layer]) -> None:
        """Begin to compare.

        Parameters
        ----------
        order : ComparisonOrder
            What to compare.
        layers : sequence of Layer
            The judged ones, whose metadata gets the result.
        """
        self._layers = [weakref.ref(layer) for layer in layers]
        self._what, self._begin = "", time.monotonic()
        self._run(compare_layers, order, status=Status(State.RUNNING, "Starting …"))

    def _on_yield(self, event: object) -> None:
        if isinstance(event, str):
            self._what = event
            self._update(message=self._text(self.status.fraction or 0.0))
        elif isinstance(event, float):
            self._update(fraction=event, message=self._text(event))
            self._show_activity(event)

    def _text(self, fraction: float) -> str:
        """What it is doing, and for how long it goes on."""
        seconds = time.monotonic() - self._begin
        left = f"{duration(seconds * (1 / fraction - 1))} left" if fraction > _EARLY else ""
        return " · ".join(filter(None, [self._what, left]))

    def _on_return(self, result: Compared) -> None:
        self._worker = None
        self.result = result.comparison
        if not self._is_abandoned:
            for layer in filter(None, (reference() for reference in self._layers)):
                layer.metadata[RECORD] = copy.deepcopy(result.record)
        took = duration(time.monotonic() - self._begin)
        self._update(state=State.FINISHED, fraction=1.0, message=f"Compared in {took}.")


class ReportJob(Job):
    """The report that a viewer is writing."""

    name = "Writing the report"

    def start(self, comparison: Comparison, directory: Path) -> None:
        """Begin to write the report of a comparison into a new directory."""
        self._run(export_report, comparison, directory, status=Status(State.RUNNING, "Writing the report …", None))

    def _on_yield(self, event: object) -> None:
        """Writing has no progress."""

    def _on_return(self, path: Path) -> None:
        self._worker = None
        self._update(state=State.FINISHED, fraction=1.0, message=f"Wrote {path}.")
