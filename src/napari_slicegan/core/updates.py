"""One iteration after the other, update by update: one that is interrupted leaves no trace."""

from __future__ import annotations

from contextlib import AbstractContextManager

from napari_slicegan.core.clock import Clock
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.interruption import Switch, interrupted_by
from napari_slicegan.core.parallel.peers import Call
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
        self.advance(self._gan.training.discriminator_steps)
        self._update(Call.GENERATOR)
        self.discriminator_steps = 0

    def advance(self, steps: int) -> None:
        """Update the discriminators until there are so many updates of them in an unfinished iteration."""
        while self.discriminator_steps < steps:
            self._update(Call.DISCRIMINATORS)
            self.discriminator_steps += 1

    def _update(self, call: Call) -> None:
        """Make one update, with all processes of the training, or none at all if it is interrupted."""
        gan = self._gan
        gan.peers.call(call, None if gan.is_sent else gan.state_dict)
        gan.is_sent = True
        before = gan.volatile_state()
        try:
            with self._clock, self._interruption():
                losses = gan.update(call)
            self.losses.add(losses)
        except BaseException:
            gan.restore_volatile_state(before)
            raise

    def _interruption(self) -> AbstractContextManager[None]:
        """What lets the switch break off an update: of one process anywhere, of several where all of them are."""
        if self._gan.peers.size > 1:
            return self._gan.peers.interruptible(self._switch)
        return interrupted_by(self._switch, self._gan.generator, *self._gan.critics)
