"""What the evaluations of a training decide: which model is the best, whether to end, whether it has gone astray.

Numbers only, no networks. All follows from the evaluations in their order, so that a training which is resumed
decides as one that was never interrupted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from napari_slicegan.core.events import Evaluation

#: Errors of a good volume, by which the errors are weighed: of S2, of a phase's fraction, its surface, its shapes.
TOLERANCES = (0.006, 0.02, 0.1, 0.005)
PROGRESS = 0.05
"""Part by which the score has to fall to count as progress."""
LOST_IN_A_ROW = 3
"""Evaluations without a phase after which a training that had it has gone astray."""
SLOWEST_START = 3000
"""Updates that may pass before all phases are there."""
MOST_RECOVERIES = 3


class Verdict(StrEnum):
    """What to do after an evaluation."""

    GO_ON = "go on"
    END = "end"
    RECOVER = "recover"


@dataclass(frozen=True)
class Standing:
    """What the evaluations of a training have shown so far.

    Attributes
    ----------
    newest, best : Evaluation or None
        The last, and the one with the smallest score.
    reference : float
        The score when there was progress last.
    waited : int
        Evaluations since then.
    lost : int
        Evaluations in a row without a phase.
    recoveries : int
        How often the training has gone astray.
    began : int
        Iteration of the last recovery.
    """

    newest: Evaluation | None = None
    best: Evaluation | None = None
    reference: float = float("inf")
    waited: int = 0
    lost: int = 0
    recoveries: int = 0
    began: int = 0

    def after(self, found: Evaluation, patience: int) -> tuple[Standing, Verdict]:
        """What is known, and to be done, after one more evaluation.

        Parameters
        ----------
        found : Evaluation
            The new one.
        patience : int
            Evaluations without progress after which the training is to end; 0 means never.
        """
        if found.lost:
            now = replace(self, newest=found, lost=self.lost + 1, waited=self.waited + 1)
            waited = now.lost >= LOST_IN_A_ROW if self.best else found.iteration - self.began >= SLOWEST_START
            return now, Verdict.RECOVER if waited else Verdict.GO_ON
        value, is_best = score(found), self.best is None or score(found) < score(self.best)
        moved = value < (1 - PROGRESS) * self.reference
        now = replace(
            self,
            newest=found,
            best=found if is_best else self.best,
            reference=value if moved else self.reference,
            waited=0 if moved else self.waited + 1,
            lost=0,
        )
        return now, Verdict.END if patience and now.waited >= patience else Verdict.GO_ON

    def recovered(self, iteration: int) -> Standing:
        """What is known after the training was put back at an iteration."""
        return replace(self, lost=0, waited=0, recoveries=self.recoveries + 1, began=iteration)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Standing:
        """Take over what `to_dict` gave."""
        found = {name: fields[name] and Evaluation(**fields[name]) for name in ("newest", "best")}
        return cls(**{**fields, **found})


def score(errors: Evaluation) -> float:
    """How far volumes are from the micrograph: the mean of the errors, each in units of its tolerance."""
    found = (errors.correlation_error, errors.fraction_error, errors.surface_error, errors.pattern_error)
    return sum(error / tolerance for error, tolerance in zip(found, TOLERANCES, strict=True)) / len(TOLERANCES)
