"""What the *Train* dock shows below the chosen layers: their axes, their phases, a segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.plugin.images.axes_cube import AxesCube
from napari_slicegan.plugin.images.phase_table import PhaseTable
from napari_slicegan.plugin.images.segment_group import SegmentGroup
from napari_slicegan.plugin.work.jobs import jobs_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer
    from qtpy.QtWidgets import QWidget

    from napari_slicegan.plugin.images.finding import Found
    from napari_slicegan.plugin.layers import LayerImage


class ChooserGroups:
    """The groups below the rows; each is hidden while there is nothing in it.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are chosen.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self.jobs = jobs_of(viewer)
        self.cube = AxesCube()
        self.phases = PhaseTable()
        self.segment = SegmentGroup(self.jobs.offer)
        self.widgets: list[QWidget] = [self.phases.group, self.segment.group]  # the cube stands among the rows

    def show_images(
        self,
        layers: Sequence[Layer | None],
        images: Sequence[LayerImage | None],
        axis: str,
        found: Found | None,
    ) -> None:
        """Show what is chosen.

        Parameters
        ----------
        layers : sequence of Layer or None
            One, two or three; None where none is chosen.
        images : sequence of LayerImage or None
            Their images with their regions; None where there is none that can be used.
        axis : str
            The special axis of two images.
        found : Found or None
            What they are; None if they cannot be trained on.
        """
        self.cube.show_images(images, axis)
        chosen = [layer for layer in layers if layer is not None]
        first = images[0]
        if first is not None:
            self.phases.show_phases(chosen, first.look, found)
        else:
            self.phases.clear_phases()
        is_grey = found is not None and found.kind is OutputKind.GREY
        source = layers[0] if is_grey else self.jobs.offer.source_of(layers[0])
        self.segment.show_layer(source if len(layers) == 1 else None, first.regions if first is not None else ())
