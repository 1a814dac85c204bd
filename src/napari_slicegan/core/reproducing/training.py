"""A training done again, until its generator is the one of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import DataError, ModelError, TrainingError
from napari_slicegan.core.events import EndReason, Progress
from napari_slicegan.core.files import CHECKPOINT, sha256_of
from napari_slicegan.core.interruption import readable_errors
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.reproducing.plan import Leg, Plan
from napari_slicegan.core.reproducing.verdict import Verdict
from napari_slicegan.core.training import Trainer

Report = Callable[[float], None]


def retrained(
    plan: Plan,
    data: TrainingData,
    balanced: bool,
    device: str = "auto",
    start_from: Path | None = None,
    progress: Report | None = None,
) -> SliceGAN:
    """Train a model again.

    Parameters
    ----------
    plan : Plan
        How it was trained.
    data : TrainingData
        The images that it was trained on.
    balanced : bool
        Whether the model was balanced when it was finished.
    device : str
        "auto", "cpu", "cuda" or "mps".
    start_from : path, optional
        The file of the weights that the training began with.
    progress : callable, optional
        Is called with the finished fraction; what it raises ends the work.

    Returns
    -------
    SliceGAN
        The generator of the same iteration.

    Raises
    ------
    SliceGANError
        The images or the weights to begin with are others, or the training fails.
    """
    _check(plan, data, start_from)
    report = progress or (lambda _: None)
    with TemporaryDirectory(prefix="napari-slicegan-") as folder:
        course = _Course(plan, Path(folder) / CHECKPOINT, lambda done: report(done / max(plan.iteration, 1)))
        trainer = course.begin(data, device, start_from)
        report(1.0)
        return _finished(trainer, plan, balanced)


class _Course:
    """The legs of a plan, one after the other; a checkpoint carries the training from one to the next."""

    def __init__(self, plan: Plan, checkpoint: Path, tell: Callable[[int], None]) -> None:
        self._plan, self._checkpoint, self._tell = plan, checkpoint, tell

    def begin(self, data: TrainingData, device: str, start_from: Path | None) -> Trainer:
        """Train until the end of the last leg."""
        first, *others = self._plan.legs
        with first.threads:
            trainer = Trainer(data, self._plan.network, first.recipe, device, start_from=start_from)
            trainer = self._make(trainer, first)
        for leg in others:
            with leg.threads:
                trainer = self._make(Trainer.resume(self._checkpoint, data, leg.recipe, device), leg)
        return trainer

    def _make(self, trainer: Trainer, leg: Leg) -> Trainer:
        """Train to the end of a leg, also past the point at which a training ends that makes no progress."""
        while self._run(trainer, leg) is EndReason.PLATEAU and trainer.iteration < leg.end:
            trainer.save(self._checkpoint)
            trainer = Trainer.resume(self._checkpoint, trainer.data, leg.recipe, trainer.gan.device.type)
        if trainer.iteration != leg.end:
            raise TrainingError(f"The training has ended at iteration {trainer.iteration}, not at {leg.end}.")
        trainer.advance(leg.steps)
        if leg is not self._plan.legs[-1]:
            trainer.save(self._checkpoint)
        return trainer

    def _run(self, trainer: Trainer, leg: Leg) -> EndReason | None:
        """Train to the end of a leg or to a plateau; without the evaluation at the end where there was none."""
        if trainer.iteration >= leg.end and not leg.is_judged:
            return None
        for event in trainer:
            if isinstance(event, Progress):
                self._tell(event.iteration)
                if event.iteration >= leg.end and not leg.is_judged:
                    return None
        return trainer.result.reason if trainer.result else None


def _finished(trainer: Trainer, plan: Plan, balanced: bool) -> SliceGAN:
    """The model of the generator as it is now, with what is known of it."""
    with readable_errors():
        generator = trainer.gan.snapshot(balanced)
    info = trainer.model.info
    made = {topic: told for topic, told in info.provenance.items() if topic != "heldout"}
    last = plan.legs[-1]
    made["generator"] = {"iteration": last.end, "judged": last.is_judged, "steps": last.steps}
    return SliceGAN(generator, replace(info, provenance=made))


def _check(plan: Plan, data: TrainingData, start_from: Path | None) -> None:
    """Refuse other images, or other weights to begin with, than those of the model."""
    if data.fingerprint != plan.fingerprint:
        raise DataError(
            "These are not the images that the model was trained on: give the same images, cropped and shrunk as then."
        )
    if bool(plan.origin) is not bool(start_from):
        raise ModelError(
            f"The training began with the weights of {plan.origin}: name that file with --start-from."
            if plan.origin
            else "The training began with random weights: leave out --start-from."
        )
    if start_from and plan.origin_sha256 and (not start_from.is_file() or sha256_of(start_from) != plan.origin_sha256):
        raise ModelError(
            f"{start_from} is not the file that the training began with, or has changed since: name that file, as it "
            "was then, with --start-from."
        )


def compared(stored: Mapping[str, Tensor], made: SliceGAN) -> Verdict:
    """Compare weights as a file stores them with those of a model, bit for bit.

    Parameters
    ----------
    stored : mapping of Tensor
        Checked to be all weights of such a model.
    made : SliceGAN
        What was made again; where the file keeps 16 bits of each weight, so many are compared.
    """
    wrong, largest, where = 0, 0.0, ""
    weights = {name: tensor.cpu() for name, tensor in made.generator.state_dict().items() if name in stored}
    for name, tensor in weights.items():
        before, now = stored[name].numpy(), tensor.to(stored[name].dtype).numpy()
        if before.shape == now.shape and before.tobytes() == now.tobytes():
            continue
        wrong += 1
        gap = float(np.abs(before.astype(float) - now.astype(float)).max(initial=0.0))
        largest, where = max((largest, where), (gap, name))
    count, numbers = len(weights), sum(tensor.numel() for tensor in weights.values())
    if not wrong:
        return Verdict(True, f"all {numbers:,} numbers of the {count} arrays of weights are the same.")
    return Verdict(False, f"{wrong} of {count} arrays of weights differ, by up to {largest:.3g} ({where}).")


def is_balanced(stored: Mapping[str, Tensor]) -> bool:
    """Whether weights are those of a generator that was balanced, see `core.balance`."""
    return bool(torch.any(stored["offsets"] != 0)) if "offsets" in stored else False
