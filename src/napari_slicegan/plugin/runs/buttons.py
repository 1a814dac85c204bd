"""The buttons below the table of runs, each enabled where it can do something, else saying why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qtpy.QtGui import QAction
from qtpy.QtWidgets import QGridLayout, QMenu, QPushButton, QSizePolicy, QWidget

from napari_slicegan.core.runs import RunState, RunSummary

_COLUMNS = 3
_NONE = "Select a run first."
_NO_MODEL = "It has no model yet: wait for its first checkpoint."


@dataclass(frozen=True)
class Situation:
    """What decides about the buttons.

    Attributes
    ----------
    run : RunSummary or None
        The selected run.
    has_preview : bool
        Whether a preview of it is shown.
    has_images : bool
        Whether it holds its training images.
    trains : bool
        Whether this viewer trains something.
    loads : bool
        Whether this viewer is reading a model.
    """

    run: RunSummary | None = None
    has_preview: bool = False
    has_images: bool = False
    trains: bool = False
    loads: bool = False


def _needs_model(at: Situation) -> str:
    return "" if at.run and at.run.has_model else _NO_MODEL


def _no_generate(at: Situation) -> str:
    return "A model is being loaded: wait a moment." if at.loads else _needs_model(at)


def _no_previews(at: Situation) -> str:
    return "" if at.has_preview else "It has no preview yet."


def _no_continue(at: Situation) -> str:
    if at.trains:
        return "This viewer trains already: stop it first, or continue this run in another window."
    if at.run and at.run.is_live:
        return "It is being trained."
    if at.run and not at.run.can_continue:
        return "It cannot be continued: it has no checkpoint that can be read."
    return (
        "" if at.has_images else "It does not hold its images, as runs of earlier versions do not: use Start from it."
    )


def _not_live(at: Situation) -> str:
    return "" if at.run and at.run.is_live else "It is not being trained."


def _live(at: Situation) -> str:
    return "It is being trained: stop it first." if at.run and at.run.is_live else ""


#: For each button: text, tooltip, and why it cannot be pressed with a run selected (empty if it can).
BUTTONS: dict[str, tuple[str, str, Callable[[Situation], str]]] = {
    "generate": ("&Generate…", "Load the run's model, and open the dock that generates volumes.", _no_generate),
    "previews": ("&Previews", "Add preview volumes of the run as a layer.", _no_previews),
    "start_from": (
        "Start &from it",
        "Train on the layers of this viewer with this run's networks to begin with.",
        _needs_model,
    ),
    "continue": ("&Continue…", "Train the run further, from its last checkpoint.", _no_continue),
    "pause": ("P&ause", "Let the training wait; what it has made is saved.", _not_live),
    "stop": ("&Stop", "End the training; what it has made is kept, and it can be continued.", _not_live),
    "rename": ("&Rename…", "Give the run's directory another name.", _live),
    "delete": ("&Delete…", "Delete the run's directory from the disk.", _live),
    "folder": ("&Open folder", "Show the run's files in the system's file manager.", lambda _: ""),
}


class RunButtons(QWidget):
    """Three rows of buttons.

    Parameters
    ----------
    slots : dict
        What each of `BUTTONS` does; "newest" and "all" stand for the menu of "previews".
    """

    def __init__(self, slots: dict[str, Callable[[], None]]) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        self.buttons: dict[str, QPushButton] = {}
        for number, (name, (text, _, _)) in enumerate(BUTTONS.items()):
            made = QPushButton(text)
            made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            if name in slots:
                made.clicked.connect(lambda *_, slot=slots[name]: slot())
            grid.addWidget(made, *divmod(number, _COLUMNS))
            self.buttons[name] = made
        for column in range(_COLUMNS):
            grid.setColumnStretch(column, 1)
        self.menu = QMenu(self)
        self.newest = self._entry("Newest preview", slots["newest"])
        self.all = self._entry("All previews over time", slots["all"])
        self.buttons["previews"].setMenu(self.menu)
        self.show_situation(Situation())

    def show_situation(self, at: Situation) -> None:
        """Enable what can be pressed."""
        for name, (_, tooltip, why_not) in BUTTONS.items():
            reason = why_not(at) if at.run else _NONE
            self.buttons[name].setEnabled(not reason)
            self.buttons[name].setToolTip(f"{tooltip} {reason}".strip())
        waits = at.run is not None and at.run.state is RunState.PAUSED
        self.buttons["pause"].setText("Res&ume" if waits else "P&ause")
        if waits:
            self.buttons["pause"].setToolTip("Let the training go on.")

    def _entry(self, text: str, slot: Callable[[], None]) -> QAction:
        action = QAction(text, self.menu)
        action.triggered.connect(lambda *_: slot())
        self.menu.addAction(action)
        return action
