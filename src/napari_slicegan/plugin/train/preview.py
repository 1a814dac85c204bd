"""The layer that shows the previews of a training: one, refreshed in place, which leaves the view alone."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from napari_slicegan.core.events import Preview
from napari_slicegan.plugin.show import View, add_beside, look_at_layer
from napari_slicegan.plugin.volume_layers import ours_in, volume_layer

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_slicegan.core.model_info import ModelInfo
    from napari_slicegan.plugin.layers import Look


class PreviewLayer:
    """The preview of one training at a time.

    Parameters
    ----------
    viewer : ViewerModel
        Held weakly, so that a closed viewer can go.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = weakref.ref(viewer)
        self._last: Preview | None = None
        self._before: View | None = None
        self.forget(None)

    @property
    def is_there(self) -> bool:
        """Whether there is a preview to bring into view."""
        return self._last is not None and self._info is not None

    @property
    def is_in_view(self) -> bool:
        """Whether the view was turned to a preview, and there is another one to go back to."""
        viewer = self._viewer()
        return viewer is not None and self._before is not None and viewer.dims.ndisplay == 3

    def forget(self, source: Layer | None) -> None:
        """Begin anew, beside a layer; the last preview of the training before stays in the viewer."""
        self._source = weakref.ref(source) if source is not None else None
        self._layer: weakref.ref[Layer] | None = None
        self._info: ModelInfo | None = None
        self._last = None

    def describe(self, info: ModelInfo, look: Look | None, path: Path) -> None:
        """Say what the previews are of.

        Parameters
        ----------
        info : ModelInfo
            Kind, voxel size and phases.
        look : Look, optional
            The colours of the training layer.
        path : Path
            The run's directory.
        """
        self._info, self._look, self._path = info, look, path

    def show(self, event: Preview) -> None:
        """Add the layer or renew it; one that the user removed does not come back."""
        self._last = event
        if self._layer is None:
            self._add()
        elif (layer := self._shown()) is not None:
            layer.data = event.volume
            ours_in(layer.metadata)["iterations"] = event.iteration

    def bring_into_view(self) -> None:
        """Turn to 3D with the camera on the preview, alone; it comes back if it was removed."""
        viewer = self._viewer()
        if viewer is None or not self.is_there:
            return
        before = View.of(viewer)
        if self._shown() is None:
            self._add()
        if (layer := self._shown()) is not None:
            look_at_layer(viewer, layer)
            self._before = before

    def go_back(self) -> None:
        """Show what was shown before the preview was brought into view."""
        viewer, before = self._viewer(), self._before
        self._before = None
        if viewer is not None and before is not None:
            before.restore(viewer)

    def _shown(self) -> Layer | None:
        """The layer, as long as it is in the viewer."""
        viewer, layer = self._viewer(), self._layer() if self._layer else None
        return layer if viewer is not None and layer is not None and layer in viewer.layers else None

    def _add(self) -> None:
        viewer = self._viewer()
        if viewer is None or self._info is None or self._last is None:
            return
        record = self._info.history(model=str(self._path), iterations=self._last.iteration)
        source = self._source() if self._source else self._namesake(viewer)
        names = self._info.provenance.get("images") or [self._path.name]
        name = f"{source.name if source is not None else names[0]} preview"
        made = volume_layer(self._last.volume, self._info, name, self._look, record)
        self._layer = weakref.ref(add_beside(viewer, made, source))

    def _namesake(self, viewer: ViewerModel) -> Layer | None:
        """The layer called as the image that an earlier run was trained on."""
        names = self._info.provenance.get("images", []) if self._info else []
        return next((layer for layer in viewer.layers if layer.name in names[:1]), None)
