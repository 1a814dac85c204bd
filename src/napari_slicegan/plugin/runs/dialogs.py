"""What is asked before something is done with a run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QInputDialog,
    QLabel,
    QMessageBox,
    QPushButton,
    QWidget,
)

from napari_slicegan.core.runs import RunSummary
from napari_slicegan.core.words import duration, size_in_words
from napari_slicegan.plugin.train.settings import ITERATIONS, MINUTES
from napari_slicegan.plugin.work.background import Background

_USUAL = {MINUTES: 10.0, ITERATIONS: 1000.0}
_NARROWEST = 320


@dataclass(frozen=True)
class Further:
    """How much further a run is to be trained; without either, to its own end."""

    minutes: float = 0.0
    iterations: int = 0


class ContinueDialog(QDialog):
    """Asks how much further to train.

    Parameters
    ----------
    parent : QWidget
        Where the dialog is.
    run : RunSummary
        The run.
    seconds : float
        Time of training that it has used.
    """

    def __init__(self, parent: QWidget, run: RunSummary, seconds: float) -> None:
        super().__init__(parent)
        self.setWindowTitle("Continue the training")
        self.setMinimumWidth(_NARROWEST)
        self.unit, self.length = QComboBox(), QDoubleSpinBox()
        self.unit.addItems([MINUTES, ITERATIONS])
        self.unit.setToolTip("Minutes of training, or updates of the generator.")
        self.length.setRange(0.0, 1e7)
        self.length.setToolTip("How much further than now.")
        self._left = _left(run, seconds)
        text = QLabel(_so_far(run, seconds))
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        form = QFormLayout(self)
        form.addRow(text)
        form.addRow("&Train further for", self.length)
        form.addRow("&Unit", self.unit)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.go = QPushButton("&Continue")
        buttons.addButton(self.go, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)
        self.unit.currentTextChanged.connect(self._show_unit)
        self.length.valueChanged.connect(lambda value: self.go.setEnabled(value > 0))
        self._show_unit(MINUTES)

    @property
    def further(self) -> Further:
        """What was chosen."""
        value = self.length.value()
        if self.unit.currentText() == MINUTES:
            return Further(minutes=value)
        return Further(iterations=max(1, round(value)))

    def _show_unit(self, unit: str) -> None:
        by_time = unit == MINUTES
        self.length.setDecimals(1 if by_time else 0)
        self.length.setSingleStep(1 if by_time else 100)
        self.length.setMinimum(0.1 if by_time else 1)
        self.length.setValue((self._left if by_time else 0) or _USUAL[unit])


def ask_further(parent: QWidget, run: RunSummary, seconds: float) -> Further | None:
    """Ask how much further to train; None when nothing is to be done."""
    dialog = ContinueDialog(parent, run, seconds)
    chosen = dialog.further if dialog.exec() == QDialog.DialogCode.Accepted else None
    dialog.deleteLater()
    return chosen


def ask_name(parent: QWidget, run: RunSummary) -> str:
    """Ask for another name; empty when it is to stay."""
    name, is_chosen = QInputDialog.getText(parent, "Rename the run", "Name of the run's directory:", text=run.name)
    return name if is_chosen else ""


def may_delete(parent: QWidget, run: RunSummary) -> bool:
    """Ask whether a run may be deleted; no is what happens without a choice."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("Delete the run")
    box.setText(f"Delete {run.name}?")
    loss = f"Its model, checkpoint, previews and log in {run.path} cannot be brought back. Volumes and layers stay."
    box.setInformativeText(f"{loss}\n\nIts size on the disk is being added up …")
    is_over = Event()
    Background(box).run(  # a network may take its time
        lambda: size_of(run.path, is_over),
        lambda size: box.setInformativeText(f"{loss}\n\nIt takes {size_in_words(size)} on the disk."),
    )
    is_sure = _is_sure(box, "&Delete")
    is_over.set()
    return is_sure


def may_replace(parent: QWidget, path: Path) -> bool:
    """Ask whether a file may be replaced; no is what happens without a choice."""
    box = QMessageBox(parent)
    box.setWindowTitle("Replace the file")
    box.setText(f"{path} exists already. Replace it?")
    return _is_sure(box, "&Replace")


def _is_sure(box: QMessageBox, verb: str) -> bool:
    """Ask whether to do what cannot be undone."""
    box.setTextFormat(Qt.TextFormat.PlainText)
    do = box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.exec()
    is_sure = box.clickedButton() is do
    box.deleteLater()
    return is_sure


def size_of(path: Path, is_over: Event) -> int:
    """Bytes that a run takes on the disk; fewer when nobody wants to know any more."""
    total = 0
    for file in path.rglob("*"):
        if is_over.is_set():
            break
        with suppress(OSError):
            total += file.lstat().st_size
    return total


def _left(run: RunSummary, seconds: float) -> float:
    """Minutes to the end that the run was started with; 0 when it is there."""
    if not 0 < run.fraction < 1:
        return 0.0
    return max(0.1, round(seconds * (1 - run.fraction) / run.fraction / 60, 1))


def _so_far(run: RunSummary, seconds: float) -> str:
    time = f" in {duration(seconds)}" if seconds else ""
    end = "has come to its end" if run.fraction >= 1 else f"is at {run.fraction:.0%} of its way"
    return f"{run.name} has made {run.iterations:,} iterations{time}, and {end}."
