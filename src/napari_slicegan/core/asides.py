"""What is done beside a training now and then: previews and evaluations. It takes little time and ends nothing."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TypeVar

from napari_slicegan.core.clock import Clock
from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.events import Preview
from napari_slicegan.core.interruption import Flag, Interrupted, Switch
from napari_slicegan.core.model import SliceGAN

_SHARE = 0.05  # of the training time at most
_SHORT = 0.7  # seconds of the one that someone who pressed Stop may wait; saving takes the rest
_PREVIEW_SEED = 1

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Aside:
    """A work beside a training: kept to a twentieth of its time, dropped when somebody waits, given up when it fails.

    Parameters
    ----------
    name : str
        What it makes, for the log.
    clock : Clock
        Of the training; what it had counted before this session gives no time to spend.
    is_wanted : bool
        Whether it is done at all.

    Attributes
    ----------
    is_on : bool
        Whether it is wanted and has not failed.
    """

    def __init__(self, name: str, clock: Clock, is_wanted: bool) -> None:
        self._name, self._clock = name, clock
        self.is_on = is_wanted  # until it fails
        self._cost, self._spent = 0.0, 0.0  # seconds, of the last time and of all

    @property
    def is_affordable(self) -> bool:
        """Whether it would keep to its share of the time if it took as long as the last time; the first is free."""
        return self.is_on and self._spent + self._cost <= _SHARE * self._clock.session

    def is_due_at_end(self, is_stopped: bool) -> bool:
        """Whether to do it a last time: always at the end, at a stop if it is short as far as is known.

        Before the first iteration nothing is known, and there is nothing to see.
        """
        return self.is_on and (not is_stopped or (self._clock.session > 0 and self._cost < _SHORT))

    def do(self, work: Callable[[], T], begin: float) -> T | None:
        """Do it, for which something has been prepared since a time (`time.monotonic`).

        Returns
        -------
        T or None
            What the work gives; None if it was interrupted or has failed.
        """
        try:
            result = work()
        except Interrupted:
            self._count(time.monotonic() - begin, whole=False)
            return None
        except (SliceGANError, RuntimeError, MemoryError) as error:  # what torch and numpy raise without memory
            self.is_on = False
            _log.warning("The training goes on without %s, which cannot be made: %s", self._name, error)
            return None
        self._count(time.monotonic() - begin, whole=True)
        return result

    def _count(self, seconds: float, whole: bool) -> None:
        self._cost = seconds if whole else max(seconds, self._cost)
        self._spent += seconds


class Patience:
    """A flag that is set when a switch is turned off, or, if it is off already, soon.

    Parameters
    ----------
    switch : Switch
        Of the training.
    """

    def __init__(self, switch: Switch) -> None:
        self._switch, self._was_off = switch, switch.is_off
        self._end = time.monotonic() + _SHORT if switch.is_off else math.inf

    def is_set(self) -> bool:
        """Whether nobody is to wait any longer."""
        return time.monotonic() > self._end or self._switch.is_off is not self._was_off


def preview_of(model: SliceGAN, iteration: int, flag: Flag | None = None) -> Preview:
    """Make the volume of the preview's latent field: a training cube long in each axis.

    Raises
    ------
    Interrupted
        The flag was set meanwhile.
    ModelError
        Memory has run out.
    """

    def check(_: float) -> None:
        if flag and flag.is_set():
            raise Interrupted

    check(0.0)  # preparing the model takes a while
    edge = model.info.network.edge
    return Preview(iteration, model.generate((edge, edge, edge), _PREVIEW_SEED, progress=check))
