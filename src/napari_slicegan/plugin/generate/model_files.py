"""Models from files, to files and as a start: buttons of the *Generate* dock, and the card of the chosen model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_slicegan.plugin.generate.model_card import ModelCard
from napari_slicegan.plugin.models import ModelEntry, file_name
from napari_slicegan.plugin.parts.dock import button, row
from napari_slicegan.plugin.runs.dialogs import may_replace
from napari_slicegan.plugin.work.jobs import Jobs

_ENDING = ".safetensors"


class ModelFiles:
    """Three buttons and a card.

    Parameters
    ----------
    parent : QWidget
        Where dialogs are shown.
    jobs : Jobs
        Of the viewer.
    entry : callable
        Gives the chosen model, or None.
    begin : callable
        Begins a training with the networks of a file or a run.
    """

    def __init__(
        self,
        parent: QWidget,
        jobs: Jobs,
        entry: Callable[[], ModelEntry | None],
        begin: Callable[[Path], None],
    ) -> None:
        self._parent, self._jobs, self._entry, self._begin = parent, jobs, entry, begin
        self.load = button("Load…", "Load a model file or a checkpoint, for example of a run.", self._load)
        tooltip = "Save the model with its card to a file, to use it elsewhere or to share it."
        self.save = button("Save as…", tooltip, self._save)
        tooltip = "Train on images of yours, beginning with what this model has learnt."
        self.train = button("Train from it…", tooltip, self._train)
        self.row = row(self.load, self.save, self.train, label=" ", tooltip="What can be done with models.")
        self.card = ModelCard(self._save_texts)

    def show_state(self, busy: bool) -> None:
        """Enable what can be pressed."""
        self.load.enabled = not busy
        self.save.enabled = not busy and (entry := self._entry()) is not None and entry.loaded is not None
        self.train.enabled = self._entry() is not None
        self.card.show_state(self.save.enabled)

    @property
    def _is_busy(self) -> bool:
        """Something may have begun while a dialog was open."""
        return any(job.status.state.is_busy for job in self._jobs.of_generate)

    def _load(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self._parent, "A model", str(Path.home()), "Models (*.safetensors *.pt);;All files (*)"
        )
        if chosen and not self._is_busy:
            self._jobs.watch(self._parent)
            self._jobs.loading.start(Path(chosen))

    def _save(self) -> None:
        """Save the model under another name; Qt asks before a file is replaced."""
        if (entry := self._entry()) is None or (model := entry.loaded) is None:
            return
        start = str(Path.home() / f"{file_name(entry.name)}{_ENDING}")
        chosen, _ = QFileDialog.getSaveFileName(self._parent, "Save the model", start, f"Models (*{_ENDING})")
        if not chosen:
            return
        path = Path(chosen)
        if path.suffix.lower() != _ENDING:
            path = path.with_name(f"{path.name}{_ENDING}")
            if path.exists() and not may_replace(self._parent, path):
                return
        if not self._is_busy:
            self._jobs.watch(self._parent)
            self._jobs.loading.save(model, path)

    def _train(self) -> None:
        if entry := self._entry():
            self._begin(entry.path)

    def _save_texts(self) -> None:
        if (entry := self._entry()) is not None and not self._is_busy:
            self._jobs.watch(self._parent)
            self._jobs.loading.save_texts(self.card.card, entry.path)
