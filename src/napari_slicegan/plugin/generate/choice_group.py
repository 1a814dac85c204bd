"""The group that tries several seeds and keeps the best: a wish, and a ranked table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, FloatSpinBox, Label, LineEdit
from psygnal import Signal

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.plugin.generate.ranking_table import RankingTable
from napari_slicegan.plugin.generate.seed_rows import seeds_of
from napari_slicegan.plugin.generate.task import Wish
from napari_slicegan.plugin.models import ModelEntry
from napari_slicegan.plugin.parts.dock import Rows, button, collapsed, row, wrapped

if TYPE_CHECKING:
    from napari_slicegan.core.volume.selection import Candidate

NO_PHASES = "Only models of phases have volume fractions."


class ChoiceGroup:
    """Rows for the best of several seeds.

    Parameters
    ----------
    find : callable
        What the button does.

    Attributes
    ----------
    changed : Signal
        Something was chosen otherwise.
    chosen : Signal
        A row was selected; gives its seed.
    """

    changed = Signal()
    chosen = Signal(int)

    def __init__(self, find: Callable[[], None]) -> None:
        self._offered: list[tuple[str, int]] = []
        self.phase = ComboBox(label="Phase", choices=[], tooltip="The phase whose volume fraction is wanted.")
        self.percent = FloatSpinBox(
            value=50.0, min=0.0, max=100.0, step=0.1, tooltip="The volume fraction that is wanted, in percent."
        )
        self.seeds = LineEdit(label="Try seeds", value="0-9", tooltip="The seeds to try, for example 1, 2, 5-8.")
        self.find = button(
            "Find and generate the best",
            "Try all these seeds at the size above, and generate the volume of the one that comes nearest.",
            find,
        )
        self.table = RankingTable()
        wanted = row(self.phase, self.percent, label="Wanted %", tooltip="A phase, and its volume fraction in percent.")
        self.note = Label(tooltip="What is missing.")
        rows = Rows(wanted, self.seeds)
        tooltip = "Keep the seed whose volume has most nearly a wanted volume fraction of a phase."
        self.group = collapsed(
            "Best of several seeds", tooltip, rows, self.find.native, wrapped(self.note).native, self.table
        )
        for widget in (self.seeds, self.phase):
            widget.changed.connect(lambda *_: self.changed.emit())
        self.table.itemSelectionChanged.connect(self._tell)
        self.show_candidates(())

    @property
    def wish(self) -> Wish:
        """What is wanted.

        Raises
        ------
        ModelError
            The seeds cannot be read.
        """
        return Wish(seeds_of(self.seeds.value), int(self.phase.value), float(self.percent.value) / 100)

    def show_model(self, entry: ModelEntry | None) -> None:
        """Offer the phases of a model."""
        info = entry.model.info if entry else None
        phases = info.phases if info else ()
        names = dict(zip(phases, info.phase_names if info else (), strict=False))
        offered = [(f"{phase} {names.get(phase, '')}".strip(), phase) for phase in phases]
        if offered != self._offered:
            self._offered = offered
            self.phase.choices = offered
            self.table.show_names({phase: name for phase, name in names.items() if name})

    def show_state(self, ready: bool) -> None:
        """Enable the button if all else is ready, or say what is missing here."""
        error = self._error()
        self.note.value, self.note.visible = error, bool(error)
        self.find.enabled = ready and not error

    def _error(self) -> str:
        """Why nothing can be chosen; empty if it can."""
        if self.phase.value is None:
            return NO_PHASES
        try:
            seeds_of(self.seeds.value)
        except SliceGANError as error:
            return str(error)
        return ""

    def show_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Show a ranking; none hides the table."""
        self.table.show_candidates(candidates)
        self.table.setVisible(bool(candidates))

    def _tell(self) -> None:
        seed = self.table.seed
        if seed is not None:
            self.chosen.emit(seed)
