"""What a checkpoint says of a training, and what a training that goes on from it may change."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from napari_slicegan.core.checkpoint import read_checkpoint, write_checkpoint
from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ConfigError, ModelError, TrainingError, brief
from napari_slicegan.core.model_info import ModelInfo

_FREE = (
    "iterations",
    "minutes",
    "report_seconds",
    "preview_seconds",
    "evaluation_iterations",
    "checkpoint_minutes",
    "checkpoint_iterations",
)
_LARGEST = 1e300
WRONG = (KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError, OverflowError, ConfigError)
"""What reading a damaged checkpoint raises."""


@dataclass(frozen=True)
class Saved:
    """What a training needs to go on.

    Attributes
    ----------
    info : ModelInfo
        What its model is.
    gan, judge : dict
        The state of the players, and of who judges them.
    iteration, discriminator_steps : int
        Generator updates made, and updates of the discriminators since.
    seconds : float
        Time of training.
    """

    info: ModelInfo
    gan: dict[str, Any]
    judge: dict[str, Any]
    iteration: int
    discriminator_steps: int
    seconds: float

    @classmethod
    def read(cls, path: Path) -> Saved:
        """Read a checkpoint.

        Raises
        ------
        ModelError
            It is damaged.
        """
        state = read_checkpoint(path)
        try:
            counts = int(state["iteration"]), int(state["discriminator_steps"])
            if not (min(counts) >= 0 and 0 <= float(state["seconds"]) < _LARGEST):
                raise ValueError("its counts make no sense")
            return cls(
                ModelInfo.from_json(state["info"]),
                state["gan"],
                state.get("judge") or {},
                *counts,
                float(state["seconds"]),
            )
        except WRONG as error:
            raise damaged(path, error) from error

    def write(self, path: Path, weights: dict[str, Any]) -> None:
        """Write a checkpoint, with the weights of the model that it is loaded as.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        counts = {name: getattr(self, name) for name in ("iteration", "discriminator_steps", "seconds")}
        write_checkpoint(
            path, {"info": self.info.to_json(), "model": weights, "gan": self.gan, "judge": self.judge, **counts}
        )

    def images(self, data: TrainingData) -> TrainingData:
        """The images to go on with: those that were given, with the pixel size of the run.

        Raises
        ------
        TrainingError
            They are others than those of the run.
        """
        if self.info.provenance["fingerprint"] != data.fingerprint:
            raise TrainingError(
                "These are not the images that the run was started with: give the same images to resume it, or "
                "start a new run."
            )
        return replace(data, pixel_size=self.info.voxel_size, unit=self.info.unit)

    def recipe(self, wanted: TrainingConfig | None) -> TrainingConfig:
        """The recipe to go on with: the one of before, or one that differs in the end and in intervals alone.

        Raises
        ------
        TrainingError
            It differs in more, which the optimizers, that go on as they were saved, would not follow.
        """
        before = TrainingConfig(**self.info.provenance["training"])
        old, new = asdict(before), asdict(wanted or before)
        changed = [name for name in old if old[name] != new[name] and name not in _FREE]
        if changed:
            raise TrainingError(
                f"The run was started with another {', '.join(changed)}: a resumed training keeps its recipe. Leave "
                "these as they were, or start a new run."
            )
        return wanted or before


def damaged(path: Path, error: Exception) -> ModelError:
    """The error for a checkpoint that cannot be resumed."""
    return ModelError(f"{path} is damaged: it cannot be resumed ({brief(error)}).")
