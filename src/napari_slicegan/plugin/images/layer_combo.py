"""A choice of a layer that stays with its layer."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox

from napari_slicegan.plugin.volume_layers import is_endless

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer


class LayerCombo(ComboBox):
    """A choice of an Image or Labels layer that stays with its layer when it is renamed or moved in the list.

    Endless volumes are left out: a box of one has to be taken before.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are offered.
    place : int, optional
        Of the layer that is chosen while the user has chosen none; None for no layer.
    **details
        Of the combo box.
    """

    def __init__(self, viewer: ViewerModel, place: int | None, **details: Any) -> None:
        self._viewer, self._place = viewer, place
        self._chosen: weakref.ref[Layer] | None = None
        self._shown: list[str] = []
        super().__init__(choices=self._layers, nullable=True, **details)
        self.changed.connect(self._remember)

    def offers(self, layer: Layer) -> bool:
        """Whether a layer can be chosen."""
        from napari.layers import Image, Labels

        return isinstance(layer, Image | Labels) and not is_endless(layer)

    def _layers(self, _widget: Any) -> list[tuple[str, Layer]]:
        found = [layer for layer in self._viewer.layers if self.offers(layer)]
        return [(layer.name, getattr(layer, "__wrapped__", layer)) for layer in found]

    def _keep_order(self) -> None:
        """Forget the choices if the layers come in another order: magicgui adds new names at the end."""
        names = [name for name, _ in self._layers(self)]
        if names[: len(self._shown)] != self._shown:
            for name in self._shown:
                self.del_choice(name)
        self._shown = names

    def _remember(self, layer: Layer | None) -> None:
        self._chosen = None if layer is None else weakref.ref(layer)

    def reset_choices(self, *_: object) -> None:
        """Follow the layer list, and stay with the chosen layer as long as it is there."""
        before = self._chosen() if self._chosen else None
        with self.changed.blocked():
            self._keep_order()
            super().reset_choices()
            layers = [layer for layer in self.choices if layer is not None]
            fallback = layers[self._place] if self._place is not None and self._place < len(layers) else None
            now = before if any(layer is before for layer in layers) else fallback
            self.value = now
        self._remember(now)
        if now is not before:
            self.changed.emit(now)


class ShapesCombo(LayerCombo):
    """A choice of a Shapes layer, or of none: the whole image."""

    null_string = "whole image"

    def offers(self, layer: Layer) -> bool:
        """Whether a layer can be chosen."""
        from napari.layers import Shapes

        return isinstance(layer, Shapes)
