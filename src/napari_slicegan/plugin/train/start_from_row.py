"""The row of the *Train* dock that says which model a new training takes its networks from."""

from __future__ import annotations

import json
from contextlib import suppress
from html import escape
from pathlib import Path

from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QToolButton, QWidget

from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.files import CONFIG
from napari_slicegan.core.model_header import read_info
from napari_slicegan.plugin.models import run_name
from napari_slicegan.plugin.parts.dock import breakable, text_label


class StartFromRow(QWidget):
    """Hidden until there is a model to start from; the cross takes it away again.

    Attributes
    ----------
    path : Path or None
        The model, checkpoint or run.
    name : str
        What it is called; empty for new networks.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.path: Path | None = None
        self.name = ""
        self.label = text_label()
        self.close_button = QToolButton()
        self.close_button.setText("✕")
        self.close_button.setToolTip("Start from new networks instead.")
        self.close_button.setAccessibleName("Start from new networks")
        self.close_button.clicked.connect(lambda *_: self.show_path(None))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.close_button)
        self.hide()

    def show_path(self, path: Path | None) -> None:
        """Start from a model, or from new networks."""
        self.path, self.name = path, run_name(path) if path else ""
        self.label.setText(f"Starts from the networks of {breakable(self.name)}." if path else "")
        self.setToolTip(f"A new run that goes on from what {escape(str(path))} has learnt." if path else "")
        self.setVisible(path is not None)
        self.changed.emit()


def networks_of(path: Path) -> NetworkConfig | None:
    """The networks of a model or a run, which a training that starts from it must have; None where that is unknown."""
    folder = path if path.is_dir() else path.parent
    with suppress(OSError, ValueError, TypeError, KeyError, SliceGANError):
        return NetworkConfig(**json.loads((folder / CONFIG).read_text(encoding="utf-8"))["network"])
    with suppress(SliceGANError):
        return read_info(path).network
    return None
