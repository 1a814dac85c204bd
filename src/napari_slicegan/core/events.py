"""What happened: the frozen events that training gives out. Standard library and numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy.typing as npt


class EndReason(StrEnum):
    """Why a training ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    PLATEAU = "plateau"


@dataclass(frozen=True)
class Progress:
    """A report; losses are means since the last one.

    Attributes
    ----------
    iteration : int
        Generator updates made since the start of the run.
    seconds : float
        Time of training since the start of the run.
    fraction : float
        How much of the run is done, 0 to 1.
    iterations_per_second : float
        Recent speed.
    eta_seconds : float
        Expected time to the end.
    critic_distance : float
        Real minus fake scores: an estimate of the Wasserstein distance, falling as the generator learns.
    penalty : float
        Gradient penalty before its weight.
    discriminator_loss, generator_loss : float
        What each side makes small.
    """

    iteration: int
    seconds: float
    fraction: float
    iterations_per_second: float
    eta_seconds: float
    critic_distance: float
    penalty: float
    discriminator_loss: float
    generator_loss: float


@dataclass(frozen=True)
class Preview:
    """A volume of the generator as it is now, always from the same latent field.

    Attributes
    ----------
    iteration : int
        Generator updates made.
    volume : array (Z, Y, X) or (Z, Y, X, 3)
        Values of the training image's phases, or uint8 intensities; a training cube's edge long.
    """

    iteration: int
    volume: npt.NDArray[Any]


@dataclass(frozen=True)
class CheckpointSaved:
    """A checkpoint was written; training can be resumed from it and it is a loadable model."""

    iteration: int
    path: Path


@dataclass(frozen=True)
class Evaluation:
    """How near volumes of latent fields, kept aside for this, are to the micrograph now.

    Attributes
    ----------
    iteration : int
        Generator updates made.
    correlation_error : float
        Mean absolute difference of the two-point correlations (of phases, or of intensities from 0 to 1).
    fraction_error : float
        Largest absolute difference of a phase's volume fraction (or how far a channel's intensities, from 0 to 1, have
        to move, in the mean, for the same histogram).
    surface_error : float
        Largest relative difference of the faces between two phases (or of a channel's mean square step).
    pattern_error : float
        How different the shares of patterns of nine pixels are, in bits from 0 to 1: it tells shapes. Of a small image
        chance alone makes more.
    lost : str
        The phases, or "all contrast", that the volumes hardly have; empty when all is there.
    """

    iteration: int
    correlation_error: float
    fraction_error: float
    surface_error: float = 0.0
    pattern_error: float = 0.0
    lost: str = ""


@dataclass(frozen=True)
class Recovered:
    """The training had gone astray, and goes on from its best generator with a lower rate.

    Attributes
    ----------
    iteration : int
        Generator updates made.
    reason : str
        What had happened, a sentence.
    back_to : int
        Generator updates that made what it goes on from; 0 when it begins anew.
    learning_rate : float
        From now on.
    """

    iteration: int
    reason: str
    back_to: int
    learning_rate: float


@dataclass(frozen=True)
class Paused:
    """The training waits; what it has made is saved."""

    iteration: int


@dataclass(frozen=True)
class Proceeded:
    """A training that waited goes on."""

    iteration: int


@dataclass(frozen=True)
class Hindered:
    """Something of a run cannot be written, and the training goes on without it.

    Attributes
    ----------
    iteration : int
        Generator updates made.
    message : str
        What, and why, in sentences; empty when all is written again.
    """

    iteration: int
    message: str


Event = Progress | Preview | CheckpointSaved | Evaluation | Recovered | Hindered | Paused | Proceeded
