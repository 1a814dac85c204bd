"""What a viewer is working on: it goes on when a dock is closed, and a dock that is opened again shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from napari_slicegan.plugin.check.job import CheckJob, OfferJob
from napari_slicegan.plugin.compare.job import ComparisonJob, ReportJob
from napari_slicegan.plugin.generate.job import CalibrationJob, GenerationJob, LoadingJob, SelectionJob, SurfaceJob
from napari_slicegan.plugin.models import Models
from napari_slicegan.plugin.train.estimate_job import EstimateJob
from napari_slicegan.plugin.train.job import TrainingJob
from napari_slicegan.plugin.work.job import Job
from napari_slicegan.plugin.work.spare import Spare
from napari_slicegan.plugin.workarounds import remove_layers_safely

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from qtpy.QtWidgets import QWidget

    from napari_slicegan.plugin.generate.endless import Browser


class Jobs:
    """All jobs of a viewer and the models that came of them."""

    def __init__(self, viewer: ViewerModel) -> None:
        self.models = Models()
        self.spare = Spare()
        self.training = TrainingJob(viewer, self.models, self.spare)
        self.generation = GenerationJob(viewer, self.models)
        self.loading = LoadingJob(viewer, self.models, self.generation)
        self.selection = SelectionJob(viewer, self.models, self.generation)
        self.surface = SurfaceJob(viewer, self.models)
        self.calibration = CalibrationJob(viewer, self.models)
        self.estimate = EstimateJob(viewer, self.models, self.spare)
        self.check = CheckJob(viewer, self.models)
        self.offer = OfferJob(viewer, self.models)
        self.comparison = ComparisonJob(viewer, self.models)
        self.report = ReportJob(viewer, self.models)
        self.browsers: WeakSet[Browser] = WeakSet()  # of endless volumes
        self._is_watching = False

    @property
    def all(self) -> tuple[Job, ...]:
        """Every job; one that starts others comes before them."""
        measuring = (self.calibration, self.estimate)
        return (self.training, *self.of_generate, *self.of_compare, *measuring, self.check, self.offer)

    @property
    def of_generate(self) -> tuple[Job, ...]:
        """The jobs that the *Generate* dock shows, one at a time."""
        return (self.selection, self.loading, self.generation, self.surface)

    @property
    def of_compare(self) -> tuple[Job, ...]:
        """The jobs that the *Compare* dock shows, one at a time."""
        return (self.report, self.comparison)

    def watch(self, widget: QWidget) -> None:
        """End the jobs when the window that a widget is in has gone."""
        if self._is_watching:
            return
        self._is_watching = True
        while (parent := widget.parentWidget()) is not None:
            widget = parent
        widget.destroyed.connect(lambda *_: self.abandon())

    def abandon(self) -> None:
        """End the jobs and leave the viewer alone."""
        for job in self.all:
            job.abandon()
        for browser in self.browsers:
            browser.close()
        self.spare.close()


_jobs: WeakKeyDictionary[ViewerModel, Jobs] = WeakKeyDictionary()


def jobs_of(viewer: ViewerModel) -> Jobs:
    """The jobs of a viewer, which live as long as it does."""
    viewer = getattr(viewer, "__wrapped__", viewer)  # napari gives widgets a proxy, which lives no longer than they
    if viewer not in _jobs:
        _jobs[viewer] = Jobs(viewer)
        remove_layers_safely(viewer)
    return _jobs[viewer]
