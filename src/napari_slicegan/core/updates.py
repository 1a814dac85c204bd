"""One iteration after the other, update by update: one that is interrupted leaves no trace."""

from __future__ import annotations

from typing import Any

from napari_slicegan.core.clock import Clock
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.interruption import Switch, interrupted_by
from napari_slicegan.core.reports import MeanLosses


class Updates:
    """Makes the updates of a training.

    Parameters
    ----------
    gan : GAN
        The players.
    clock : Clock
        Counts the time of updates that are made.
    switch : Switch
        Interrupts them.

    Attributes
    ----------
    losses : MeanLosses
        Of the updates since the last report.
    discriminator_steps : int
        Updates of the discriminators that an unfinished iteration has made already.
    """

    def __init__(self, gan: GAN, clock: Clock, switch: Switch) -> None:
        self._gan, self._clock, self._switch = gan, clock, switch
        self.losses = MeanLosses()
        self.discriminator_steps = 0

    def iterate(self) -> None:
        """Update the discriminators several times, then the generator once.

        Raises
        ------
        Interrupted
            By the switch; the next call goes on with the update that was abandoned.
        """
        while self.discriminator_steps < self._gan.training.discriminator_steps:
            self._update(self._gan.update_discriminators)
            self.discriminator_steps += 1
        self._update(self._gan.update_generator)
        self.discriminator_steps = 0

    def _update(self, update: Any) -> None:
        """Make one update, or none at all if it is interrupted."""
        before = self._gan.volatile_state()
        try:
            with self._clock, interrupted_by(self._switch, self._gan.generator, *self._gan.critics):
                losses = update()
            self.losses.add(losses)
        except BaseException:
            self._gan.restore_volatile_state(before)
            raise
