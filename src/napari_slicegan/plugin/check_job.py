"""The check of the images that are chosen for training, and the layers that its offers make."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_slicegan.core.check.result import Crop, ImageCheck, Snap
from napari_slicegan.plugin.check_task import Answer, Question, check_images, take_offer
from napari_slicegan.plugin.job import Job, State, Status
from napari_slicegan.plugin.layers import Look, image_of
from napari_slicegan.plugin.versions import Versions
from napari_slicegan.plugin.worker import CancelledError

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_slicegan.plugin.models import Models

_PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


class CheckJob(Job):
    """The check of what is chosen; of several questions only the last is answered.

    Attributes
    ----------
    found : ImageCheck or None
        The last answer.
    key : tuple
        Of the question that it belongs to, or that is being answered.
    note : str
        Which part of the images it is about; empty for all.
    look : Look
        How the first of the images is coloured.
    versions : Versions
        Of the layers that are chosen, also while no dock is open.
    """

    name = "Checking the image"

    def __init__(self, viewer: ViewerModel, models: Models) -> None:
        super().__init__(viewer, models)
        self.found: ImageCheck | None = None
        self.note = ""
        self.key: tuple[object, ...] = ()
        self.look = Look()
        self.versions = Versions()
        self._next: Question | None = None

    def ask(self, question: Question) -> None:
        """Begin to check; what is being checked is dropped."""
        self.found, self.key, self.look = None, question.key, question.images[0].look
        if self.status.state.is_busy:
            self._next = question
            self.stop()
        else:
            self._run(check_images, question, status=Status(State.RUNNING, fraction=None))

    def _on_yield(self, event: object) -> None:
        """It is done before a progress could be read."""

    def _on_return(self, result: Answer) -> None:
        self._worker = None
        if not self._go_on():
            self.found, self.note = result.found, result.note
            self._update(state=State.FINISHED)

    def _on_error(self, error: Exception) -> None:
        self._worker = None
        if not self._go_on():  # advice that cannot be given is no reason to disturb anyone
            text = "" if isinstance(error, CancelledError) else str(error)
            self._update(state=State.STOPPED, message=text)

    def _go_on(self) -> bool:
        """Take the question that came in between."""
        question, self._next = self._next, None
        if question is None or self._is_abandoned:
            return False
        self._run(check_images, question, status=Status(State.RUNNING, fraction=None))
        return True


class OfferJob(Job):
    """A layer that an offer makes of another.

    Attributes
    ----------
    added : Signal
        Gives which of the images it was made of, and the new layer.
    """

    name = "Changing the image"
    added = Signal(int, object)

    def start(self, layer: Layer, offer: Snap | Crop) -> None:
        """Begin to make a layer of a layer; what was begun before goes on alone."""
        if self.status.state.is_busy:
            return
        self._layer, self._offer = weakref.ref(layer), offer
        self._run(take_offer, image_of(layer), offer, status=Status(State.RUNNING, fraction=None))

    def _on_yield(self, event: object) -> None:
        """It is done before a progress could be read."""

    def _on_return(self, result: Any) -> None:
        self._worker, viewer, source = None, self._viewer(), self._layer()
        self._update(state=State.FINISHED)
        if viewer is None or source is None or self._is_abandoned:
            return
        layer = _changed(source, result, self._offer)
        viewer.add_layer(layer)
        self.added.emit(self._offer.image, layer)


def _changed(source: Layer, array: Any, offer: Snap | Crop) -> Layer:
    """A layer at the place of another."""
    from napari.layers import Layer

    _, details, kind = source.as_layer_data_tuple()
    if isinstance(offer, Snap):
        place = {name: details[name] for name in _PLACE if name in details}
        return Layer.create(array, place | {"name": f"{source.name} snapped"}, "labels")
    corner = (offer.top, offer.left)
    shift = [now + step * start for now, step, start in zip(source.translate, source.scale, corner, strict=True)]
    details |= {"name": f"{source.name} cropped", "translate": shift, "multiscale": False}
    return Layer.create(array, details, kind)
