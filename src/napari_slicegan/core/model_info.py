"""What a model is and where it comes from: the JSON header of a model file."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError, SliceGANError, brief
from napari_slicegan.core.thumbnail import png_of

FORMAT = 1
#: What the author of a model may say of it.
CARD = ("title", "author", "licence", "notes")
#: Characters of a name and of a text of the card at most.
LONGEST_NAME, LONGEST_TEXT = 100, 10_000
_LARGEST_SIZE = 1e300  # whole numbers of JSON have no end
# Read at once: a process that gives up rights may not be able to later.
_VERSIONS = {package: version(package) for package in ("napari-slicegan", "torch")}
_COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class ModelInfo:
    """What a model is and where it comes from.

    Attributes
    ----------
    network : NetworkConfig
        The layers of its generator, and what a voxel is.
    phases : tuple of int
        The label of each phase; empty for grey and colour.
    voxel_size : float
        Edge of a voxel in `unit`.
    unit : str
        For example "um"; "pixel" when the size is not known.
    provenance : dict
        Training images, settings, iterations and the like; for people to read.
    levels : (float, float)
        The intensities that the generator's 0 and 1 stand for.
    phase_names : tuple of str
        What each phase is called; empty when they have no names.
    phase_colours : tuple of str
        The colour of each phase as "#rrggbb"; empty when none were chosen.
    card : dict
        What its author says of it: "title", "author", "licence", "notes"; all text.
    thumbnail : str
        The middle of the training image, see `thumbnail_of`; empty when there is none.
    """

    network: NetworkConfig
    phases: tuple[int, ...] = ()
    voxel_size: float = 1.0
    unit: str = "pixel"
    provenance: dict[str, Any] = field(default_factory=dict)
    levels: tuple[float, float] = (0.0, 255.0)
    phase_names: tuple[str, ...] = ()
    phase_colours: tuple[str, ...] = ()
    card: dict[str, str] = field(default_factory=dict)
    thumbnail: str = ""

    @property
    def kind(self) -> OutputKind:
        """What a voxel is: a phase, a grey level or a colour."""
        return self.network.output

    @classmethod
    def of(cls, data: TrainingData, network: NetworkConfig, **provenance: Any) -> ModelInfo:
        """Describe a model of these training images."""
        record = {"images": list(data.names), "fingerprint": data.fingerprint, **provenance}
        names, colours = data.phase_names, data.phase_colours
        return cls(network, data.phases, data.pixel_size, data.unit, record, data.levels, names, colours)

    def history(self, **made: Any) -> dict[str, Any]:
        """Say where a volume comes from, as plain values: what made it, the versions, and the training."""
        training = json.loads(json.dumps(self.provenance))  # enums become words
        return {**made, "versions": versions(), "training": training}

    def to_json(self) -> str:
        """Write as the JSON text of a model file's header."""
        return json.dumps({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> ModelInfo:
        """Read what `to_json` wrote.

        Raises
        ------
        ModelError
            The text is no header of a model, or one of a newer format.
        """
        try:
            fields = json.loads(text)
            version = fields.pop("format")
            if not isinstance(version, int) or version > FORMAT:
                raise ModelError(
                    f"The model has the format {version!s:.100}, but this version of napari-slicegan reads formats "
                    f"up to {FORMAT}: install a newer napari-slicegan."
                )
            phases = tuple(map(int, fields.pop("phases")))
            low, high = map(float, fields.pop("levels"))
            look: dict[str, Any] = {name: tuple(fields.pop(name, ())) for name in ("phase_names", "phase_colours")}
            network = NetworkConfig(**fields.pop("network"))
            info = cls(network=network, phases=phases, levels=(low, high), **look, **fields)
        except SliceGANError as error:
            raise ModelError(str(error)) from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise ModelError(f"The header of the model cannot be read ({brief(error)}).") from error
        info._check()
        info._check_words()
        return info

    def _check(self) -> None:
        sizes_are_right = isinstance(self.voxel_size, int | float) and 0 < self.voxel_size < _LARGEST_SIZE
        channels = {OutputKind.GREY: 1, OutputKind.COLOUR: 3}.get(self.kind, len(self.phases))
        if self.network.image_channels != channels or list(self.phases) != sorted(set(self.phases)):
            raise ModelError("The header of the model does not name one label for each of its phases.")
        if self.phases and (self.kind is not OutputKind.PHASES or max(map(abs, self.phases)) >= 2**32):
            raise ModelError("The header of the model names labels that its volumes cannot hold.")
        if not 0 <= self.levels[0] < self.levels[1] <= 255:
            raise ModelError("The header of the model gives no sensible levels of intensity.")
        if not (sizes_are_right and isinstance(self.unit, str) and isinstance(self.provenance, dict)):
            raise ModelError("The header of the model gives no sensible voxel size, unit and provenance.")

    def _check_words(self) -> None:
        """Refuse names, colours and texts that are none, or too many of them."""
        names, colours = self.phase_names, self.phase_colours
        if {len(names), len(colours)} - {0, len(self.phases)}:
            raise ModelError("The header of the model does not give each of its phases one name and one colour.")
        if not all(_is_text(name, LONGEST_NAME) for name in (*names, self.unit)):
            raise ModelError(f"The header of the model gives names that are no text of {LONGEST_NAME} characters.")
        if not all(isinstance(colour, str) and _COLOUR.fullmatch(colour) for colour in colours):
            raise ModelError('The header of the model gives colours that are not of the form "#rrggbb".')
        if not isinstance(self.card, dict) or not set(self.card) <= set(CARD):
            raise ModelError(f"The card of the model holds something else than {', '.join(CARD)}.")
        if not all(_is_text(text, LONGEST_TEXT) for text in self.card.values()):
            raise ModelError(f"The card of the model holds more than {LONGEST_TEXT:,} characters of text.")
        if not isinstance(self.thumbnail, str):
            raise ModelError("The header of the model holds a picture that is no thumbnail.")
        png_of(self.thumbnail)


def versions() -> dict[str, str]:
    """What computes, for whoever wants to do the same again."""
    return dict(_VERSIONS)


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest
