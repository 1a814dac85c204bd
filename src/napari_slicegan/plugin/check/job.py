"""The check of the images that are chosen for training, and the layers that its offers make."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_slicegan.core.check.result import Crop, ImageCheck, Snap
from napari_slicegan.plugin.check.task import Answer, Question, Segmentation, check_images, take_offer
from napari_slicegan.plugin.check.versions import Versions
from napari_slicegan.plugin.layers import Look, image_of
from napari_slicegan.plugin.work.job import Job, State, Status
from napari_slicegan.plugin.work.worker import CancelledError

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
    """A layer that is made of another: by an offer of the check, or by a segmentation.

    Of several segmentations that are asked for only the last is made; of an offer that is not done yet no second.

    Attributes
    ----------
    added : Signal
        An offer was taken: gives which of the images it was made of, and the new layer.
    segmented : Signal
        Gives the Labels layer with the phases of a layer; it is the same for all segmentations of that layer.
    """

    name = "Changing the image"
    added = Signal(int, object)
    segmented = Signal(object)

    def __init__(self, viewer: ViewerModel, models: Models) -> None:
        super().__init__(viewer, models)
        self._phases: weakref.WeakKeyDictionary[Layer, weakref.ref[Layer]] = weakref.WeakKeyDictionary()
        self._next: tuple[weakref.ref[Layer], Segmentation] | None = None
        self._offer: Snap | Crop | Segmentation | None = None

    def start(self, layer: Layer, offer: Snap | Crop | Segmentation) -> None:
        """Begin to make a layer of a layer.

        Raises
        ------
        DataError
            The layer cannot be read.
        """
        if self.status.state.is_busy:
            if isinstance(offer, Segmentation):
                self._next = weakref.ref(layer), offer
                if isinstance(self._offer, Segmentation):
                    self.stop()
            return
        self._layer, self._offer = weakref.ref(layer), offer
        image = image_of(layer, copy=not isinstance(offer, Segmentation))  # a preview need not outlive a brush
        self._run(take_offer, image, offer, status=Status(State.RUNNING, fraction=None))

    def phases_of(self, layer: Layer | None) -> Layer | None:
        """The Labels layer that a segmentation made of a layer, while it is in the viewer."""
        made, viewer = self._phases.get(layer) if layer is not None else None, self._viewer()
        found = made() if made is not None else None
        return found if viewer is not None and found is not None and found in viewer.layers else None

    def source_of(self, made: Layer | None) -> Layer | None:
        """The layer in the viewer whose segmentation a Labels layer is; None for other layers."""
        viewer = self._viewer()
        if made is None or viewer is None:
            return None
        return next((layer for layer in viewer.layers if self.phases_of(layer) is made), None)

    def _on_yield(self, event: object) -> None:
        """It is done before a progress could be read."""

    def _on_return(self, result: Any) -> None:
        self._worker, viewer, source = None, self._viewer(), self._layer()
        self._update(state=State.FINISHED, message="")
        if not self._go_on() and viewer is not None and source is not None and not self._is_abandoned:
            self._show(viewer, source, result)

    def _on_error(self, error: Exception) -> None:
        super()._on_error(error)
        self._go_on()

    def _go_on(self) -> bool:
        """Make the segmentation that was asked for in between."""
        asked, self._next = self._next, None
        layer = asked[0]() if asked else None
        if asked is None or layer is None or self._is_abandoned:
            return False
        self.start(layer, asked[1])
        return True

    def _show(self, viewer: ViewerModel, source: Layer, result: Any) -> None:
        if isinstance(self._offer, Snap | Crop):
            layer = _changed(source, result, self._offer)
            viewer.add_layer(layer)
            self.added.emit(self._offer.image, layer)
            return
        made = self.phases_of(source)
        if made is None:
            selected = set(viewer.layers.selection)
            made = _labels(source, result, f"{source.name} phases")
            viewer.add_layer(made)
            viewer.layers.selection = selected
            self._phases[source] = weakref.ref(made)
        else:
            made.data = result
        self.segmented.emit(made)


def _changed(source: Layer, array: Any, offer: Snap | Crop) -> Layer:
    """A layer at the place of another."""
    from napari.layers import Layer

    _, details, kind = source.as_layer_data_tuple()
    if isinstance(offer, Snap):
        return _labels(source, array, f"{source.name} snapped")
    corner = (offer.top, offer.left)
    shift = [now + step * start for now, step, start in zip(source.translate, source.scale, corner, strict=True)]
    details |= {"name": f"{source.name} cropped", "translate": shift, "multiscale": False}
    return Layer.create(array, details, kind)


def _labels(source: Layer, array: Any, name: str) -> Layer:
    """A Labels layer at the place of another layer."""
    from napari.layers import Layer

    details = source.as_layer_data_tuple()[1]
    return Layer.create(array, {key: details[key] for key in _PLACE if key in details} | {"name": name}, "labels")
