"""The group *Image check* of the *Train* dock: what the chosen images are, and advice on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from magicgui.widgets import Label, PushButton
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_slicegan.core.check.result import Crop, Finding, ImageCheck, Severity, Shrink, Snap, Topic
from napari_slicegan.core.check.words import crop_text, needed_text, share_text, structure_text
from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.plugin.check.task import Question
from napari_slicegan.plugin.layers import Look
from napari_slicegan.plugin.parts.dock import breakable, button, collapsed, wrapped
from napari_slicegan.plugin.volume_layers import label_colormap
from napari_slicegan.plugin.work.job import Status

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_slicegan.plugin.images.chooser import MaterialChooser
    from napari_slicegan.plugin.work.jobs import Jobs

TITLE = "Image check"
_PAUSE = 500  # milliseconds without a change before it begins
_MARKS = {Severity.NOTE: ("ℹ", "#4a90d9"), Severity.WARNING: ("▲", "#d9a03f"), Severity.PROBLEM: ("✖", "#d9534f")}  # noqa: RUF001


class CheckPanel:
    """Phases with their fractions, the size of structures, and findings with what can be done about them.

    Parameters
    ----------
    chooser : MaterialChooser
        Says what is chosen; gets the layers that offers make.
    jobs : Jobs
        Of the viewer: those that check and that change an image.
    edge : callable
        Gives the edge of a training crop in pixels.

    Attributes
    ----------
    group : Fold
        The widget; hidden while there is nothing to check.
    """

    def __init__(self, chooser: MaterialChooser, jobs: Jobs, edge: Callable[[], int]) -> None:
        self._chooser, self._jobs, self._edge = chooser, jobs, edge
        self._check = jobs.check
        self.summary = _text("What was found in the chosen images.")
        self._content = QWidget()
        self._layout = QVBoxLayout(self._content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.summary.native)
        self.lines: list[Label | PushButton] = []  # of the findings
        tooltip = "Advice on the chosen images before time is spent on training; nothing here keeps you from it."
        self.group = collapsed(TITLE, tooltip, self._content)
        self.group.open()
        self._timer = QTimer(self.group)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._ask)
        chooser.changed.connect(self._look)
        self._check.versions.changed.connect(self._wait)
        self._check.changed.connect(self._show)
        jobs.offer.added.connect(self._choose)
        self._look()

    def _question(self) -> Question | None:
        """What is chosen now, or None if it cannot be trained on."""
        choice = self._chooser.choice
        if choice is None or self._chooser.error:
            return None
        try:
            images = choice.images(copy=False)
            versions = self._check.versions.of(choice.layers)
            return Question(images, choice.kind, choice.axis, self._edge(), versions, choice.shrink)
        except SliceGANError:
            return None

    def _look(self) -> None:
        """Show what is known of the choice, or ask in a while."""
        choice = self._chooser.choice
        self._check.versions.follow(choice.layers if choice else ())
        question = self._question()
        self.group.setVisible(question is not None)
        if question is None:
            self._timer.stop()
        elif question.key == self._check.key:
            self._timer.stop()
            self._show(self._check.status)
        else:
            self._clear("…")
            self._timer.start()

    def _wait(self) -> None:
        """Look at the layers again once nothing happens to them."""
        self._timer.start()

    def _ask(self) -> None:
        training = self._jobs.training.status
        if training.state.is_busy and training.progress is None:
            self._timer.start()  # a training that begins needs the processor more
            return
        self._check.versions.settle()
        question = self._question()
        if question is not None and question.key == self._check.key:
            return
        if question is not None:
            self._end_with_window()
            self._check.ask(question)
        self._chooser.look()  # other pixels may be of another kind

    def _end_with_window(self) -> None:
        window = self.group.window()
        if window is not None and window.isVisible():  # a closed dock is a window of its own, and soon gone
            self._jobs.watch(self.group)

    def _show(self, status: Status) -> None:
        """Show the job as it is now."""
        question, found = self._question(), self._check.found
        if question is None or question.key != self._check.key:
            return  # of another choice
        if found is None:
            self._clear("…" if status.state.is_busy else "")
            self.summary.value = escape("" if status.state.is_busy else status.message)
            return
        self._clear(_counts(found) or "no warnings")
        self.summary.value = _summary(found, self._check.look, self._check.note)
        for finding in found.findings:
            self._add(finding)

    def _clear(self, title: str) -> None:
        """Take all findings away."""
        self.group.set_text(f"{TITLE}: {title}" if title else TITLE)
        self.summary.value = ""
        for line in self.lines:
            self._layout.removeWidget(line.native)
            line.native.deleteLater()
        self.lines = []

    def _add(self, finding: Finding) -> None:
        label = _text(f"A {finding.severity} on: {finding.topic}.")
        mark, colour = _MARKS[finding.severity]
        label.value = f'<span style="color:{colour}">{mark}</span> {escape(breakable(finding.sentence))}'
        made: list[Label | PushButton] = [label]
        if finding.offer is not None:
            made.append(self._button(finding.offer))
        elif finding.topic is Topic.SPECKLE and (below := self._chooser.below) and below.segment.can_smooth:
            tooltip = "Make the phases again, with a median filter of one pixel more before the segmentation."
            made.append(button("Smooth by 1 px", tooltip, below.segment.smooth_more))
        for widget in made:
            self._layout.addWidget(widget.native)
        self.lines += made

    def _button(self, offer: Snap | Crop | Shrink) -> PushButton:
        if isinstance(offer, Shrink):
            tooltip = f"Train on images of which {offer.times} x {offer.times} pixels became one; see the row Shrink."
            shrink = partial(setattr, self._chooser.shrink, "value", offer.times)
            return button(f"Shrink by {offer.times}", tooltip, shrink)
        choice = self._chooser.choice
        layer = choice.layers[offer.image] if choice else None
        if isinstance(offer, Snap):
            text, what = f"Snap to {len(offer.values)} phases", "a Labels layer with the nearest phase of each pixel"
        else:
            text, what = "Use the region without it", "a layer that is cropped to the region without it"
        tooltip = f"Add {what}, and choose it for training; the image stays as it is."
        return button(text, tooltip, lambda: None if layer is None else self._take(layer, offer))

    def _take(self, layer: Layer, offer: Snap | Crop) -> None:
        self._end_with_window()
        self._jobs.offer.start(layer, offer)

    def _choose(self, image: int, layer: object) -> None:
        """Train on a layer that an offer made."""
        self._chooser.images[image].value = layer


def _text(tooltip: str) -> Label:
    """A label of rich text that breaks its lines."""
    label = wrapped(Label(tooltip=tooltip))
    label.native.setTextFormat(Qt.TextFormat.RichText)  # what comes from outside is escaped
    label.native.setTextFormat(Qt.TextFormat.RichText)
    return label


def _counts(found: ImageCheck) -> str:
    """How many findings there are of each severity: "2 warnings, 1 note"."""
    severities = [finding.severity for finding in found.findings]
    counts = [(severities.count(severity), severity) for severity in reversed(Severity)]
    return ", ".join(f"{number} {severity}{'s' * (number > 1)}" for number, severity in counts if number)


def _summary(found: ImageCheck, look: Look, note: str) -> str:
    """Phases in their colours, the size of structures and of the image that would do, as rich text."""
    lines = []
    colours = label_colormap(look, [share.value for share in found.phases]).color_dict if look.colormap else {}
    for share in found.phases:
        red, green, blue, alpha = (round(255 * float(part)) for part in colours.get(share.value, (0, 0, 0, 0)))
        swatch = f'<span style="color:rgb({red},{green},{blue})">■</span>' if alpha else "□"
        lines.append(f"{swatch} {escape(share.name or str(share.value))}: {escape(share_text(share))}")
    lines.append(escape(structure_text(found)[:1].upper() + structure_text(found)[1:]))
    lines.append(escape(crop_text(found)[:1].upper() + crop_text(found)[1:]))
    told = any(finding.topic is Topic.FRACTION for finding in found.findings)
    if found.phases and not told:
        lines.append(escape(needed_text(found)[:1].upper() + needed_text(found)[1:]))
    if note:
        lines.append(escape(breakable(note)))
    return "<br>".join(lines)
