"""What a training will take, as it was measured. No torch, so that a window can show it."""

from __future__ import annotations

from dataclasses import dataclass

from napari_slicegan.core.config import TrainingConfig


@dataclass(frozen=True)
class TrainingCosts:
    """What a training will take on this computer.

    Attributes
    ----------
    seconds_per_iteration : float
        Time of an update of the generator with those of the discriminators that go before it.
    memory_bytes : int
        Of the device, at the most.
    device : str
        In words: "CPU, 2 threads", "NVIDIA H200, 120 of 141 GB free".
    free_bytes : int
        Memory that is free on the device.
    advice : str
        How to train faster; empty where there is nothing to say.
    problem : str
        What to do when the memory will not do; else empty.
    """

    seconds_per_iteration: float
    memory_bytes: int
    device: str
    free_bytes: int
    advice: str = ""
    problem: str = ""

    def seconds(self, training: TrainingConfig) -> float:
        """Expected time of a whole training with this end."""
        by_count = training.iterations * self.seconds_per_iteration if training.iterations else float("inf")
        return min(by_count, 60 * training.minutes if training.minutes else float("inf"))
