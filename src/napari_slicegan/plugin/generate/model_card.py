"""The group that tells what a model is, and lets its author say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from magicgui.widgets import Label, LineEdit, TextEdit
from qtpy.QtCore import QEvent, QObject, QSignalBlocker, Qt
from qtpy.QtGui import QColor, QPainter, QPalette, QPixmap
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_slicegan.core.model_info import LONGEST_NAME, LONGEST_TEXT
from napari_slicegan.core.thumbnail import png_of
from napari_slicegan.plugin.generate.model_facts import FACTS, facts_of
from napari_slicegan.plugin.parts.dock import NO_WIDTH, Rows, breakable, button, collapsed, wrapped

if TYPE_CHECKING:
    from napari_slicegan.core.model_info import ModelInfo
    from napari_slicegan.plugin.models import ModelEntry

_SWATCH, _NOTES_HEIGHT = 12, 64
_TEXTS = {
    "title": ("Title", "What the model is called when it is shared."),
    "author": ("Author", "Who made it, and whom to ask."),
    "licence": ("Licence", "What others may do with it, for example CC BY 4.0."),
    "notes": ("Notes", "The material, the preparation, the microscope; what the model is good for, and what not."),
}


class ModelCard:
    """Rows about a model: what is known of it, and texts of its author.

    Parameters
    ----------
    save : callable
        What the button does.
    """

    def __init__(self, save: Callable[[], None]) -> None:
        self._entry: ModelEntry | None = None
        self.picture = QLabel()
        self.picture.setToolTip("The middle of the training image.")
        self.phases = _Phases()
        self.facts = {name: _plain(Label(label=name, tooltip=tip)) for name, tip in FACTS.items()}
        self.texts: dict[str, LineEdit | TextEdit] = {}
        for name, (label, tooltip) in _TEXTS.items():
            made = (TextEdit if name == "notes" else LineEdit)(label=label, tooltip=tooltip)
            made.native.textChanged.connect(lambda *_: self._keep())  # a TextEdit of magicgui tells of nothing
            self.texts[name] = made
        self._limit()
        _Ground(self.texts["title"].native, self.texts["notes"].native)
        self.save = button("Save these texts", "Write title, author, licence and notes into the model's file.", save)
        head = QWidget()
        line = QHBoxLayout(head)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.phases, 1)
        self._rows = Rows(*self.facts.values(), *self.texts.values())
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (head, self._rows, self.save.native):
            column.addWidget(widget)
        self.group = collapsed("About the model", "What the model is and where it comes from.", content)

    @property
    def card(self) -> dict[str, str]:
        """The texts that are not empty."""
        texts = {name: str(widget.value) for name, widget in self.texts.items()}
        return {name: text for name, text in texts.items() if text.strip()}

    def show_model(self, entry: ModelEntry | None) -> None:
        """Show a model, or nothing."""
        self._entry = entry
        self.group.setVisible(entry is not None)
        if entry is None:
            return
        info = entry.model.info
        picture = QPixmap()
        picture.loadFromData(png_of(info.thumbnail), "PNG")
        self.picture.setPixmap(picture)
        self.picture.setVisible(not picture.isNull())
        self.phases.show_phases(info)
        for name, text in facts_of(entry).items():
            self.facts[name].value = breakable(text)
            self._rows.show_row(self.facts[name], bool(text))
        for name, widget in self.texts.items():
            with QSignalBlocker(widget.native):
                widget.value = info.card.get(name, "")
        has_file = entry.path.is_dir() or entry.path.suffix == ".safetensors"
        self.save.tooltip = (
            f"Write title, author, licence and notes into the model file of {entry.name}."
            if has_file
            else "A checkpoint keeps no texts: use Save as…"
        )
        self.save.native.setProperty("has_file", has_file)

    def show_state(self, ready: bool) -> None:
        """Enable the button when nothing else is going on."""
        self.save.enabled = ready and bool(self.save.native.property("has_file"))

    def _keep(self) -> None:
        """The model says from now on what its author wrote."""
        if self._entry is not None:
            model = self._entry.model
            model.info = replace(model.info, card=self.card)

    def _limit(self) -> None:
        """Let no text grow beyond what a model file may hold."""
        for name, widget in self.texts.items():
            if name != "notes":
                widget.native.setMaxLength(2 * LONGEST_NAME)
        notes = self.texts["notes"].native
        notes.setFixedHeight(_NOTES_HEIGHT)
        notes.setTabChangesFocus(True)
        notes.setAcceptRichText(False)

        def cut() -> None:
            text = notes.toPlainText()
            if len(text) > LONGEST_TEXT:
                notes.setPlainText(text[:LONGEST_TEXT])

        notes.textChanged.connect(cut)


class _Ground(QObject):
    """Gives the notes the ground of a line of text, which napari's themes set apart from it."""

    def __init__(self, line: QWidget, notes: QWidget) -> None:
        super().__init__(notes)
        self._line, self._notes, self._shown = line, notes, ""
        line.installEventFilter(self)

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  (Qt's name)
        """Follow the theme."""
        if event is not None and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.Show):
            ground = self._line.palette().color(QPalette.ColorRole.Base).name()
            if ground != self._shown:
                self._shown = ground
                self._notes.setStyleSheet(f"QTextEdit, QTextEdit > QWidget {{ background-color: {ground} }}")
        return False


class _Phases(QWidget):
    """The phases with their colours, names and labels."""

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip("The phases: colour, name and label.")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(4, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self._grid.setVerticalSpacing(2)

    @property
    def texts(self) -> list[str]:
        """What is shown."""
        return [label.text().replace(NO_WIDTH, "") for label in self.findChildren(QLabel) if label.text()]

    def show_phases(self, info: ModelInfo) -> None:
        """Show the phases of a model; of grey and colour what it is."""
        while item := self._grid.takeAt(0):
            if widget := item.widget():
                widget.setParent(None)
                widget.deleteLater()
        if not info.phases:
            self._grid.addWidget(_text(f"A {info.kind} model."), 0, 1)
        for number, phase in enumerate(info.phases):
            if info.phase_colours:
                swatch = QLabel()
                swatch.setPixmap(_swatch(info.phase_colours[number]))
                self._grid.addWidget(swatch, number, 0)
            name = f"{info.phase_names[number]} ({phase})" if info.phase_names else f"Phase {phase}"
            self._grid.addWidget(_text(name), number, 1)


def _swatch(colour: str) -> QPixmap:
    """A square of a colour with a rim that shows on any ground."""
    picture = QPixmap(_SWATCH, _SWATCH)
    picture.fill(QColor("#808080"))
    inner = QPixmap(_SWATCH - 2, _SWATCH - 2)
    inner.fill(QColor(colour))
    painter = QPainter(picture)
    painter.drawPixmap(1, 1, inner)
    painter.end()
    return picture


def _text(text: str) -> QLabel:
    label = QLabel(breakable(text))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _plain(label: Label) -> Label:
    """A label that wraps, and takes nothing for markup."""
    label.native.setTextFormat(Qt.TextFormat.PlainText)
    return wrapped(label)
