"""A training in another process, as an iterator of events like `Trainer`; from its directory also one of long ago."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from napari_slicegan.core.apart.messages import Begin, Begun, Ended, GoOn
from napari_slicegan.core.apart.process import Process
from napari_slicegan.core.errors import OutputError, TrainingError
from napari_slicegan.core.events import EndReason, Event, Hindered
from napari_slicegan.core.runs import Follower, Request, RunState, ask, summary_of
from napari_slicegan.core.runs.status import read_status

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BETWEEN_SUMMARIES = 0.5
_SECONDS_TO_SAVE = 120.0


class TrainingApart:
    """A training that a process of ours does. Iterate it for events; how it ended is then in `result`.

    Parameters
    ----------
    process : Process
        Does it, and ends with it.
    order : Begin or GoOn
        What to train.
    """

    def __init__(self, process: Process, order: Begin | GoOn) -> None:
        self._process, self._outlives = process, order.outlives
        self._follower = Follower(order.path)  # of what comes from now on
        self._is_left = False
        self.result: Ended | None = None
        process.send(order)

    def stop(self) -> None:
        """Ask the training to end, from any thread."""
        self._process.send(Request.STOP)

    def pause(self) -> None:
        """Ask the training to save what it has made and to wait, from any thread."""
        self._process.send(Request.PAUSE)

    def proceed(self) -> None:
        """Let a training that is paused go on, from any thread."""
        self._process.send(Request.PROCEED)

    def leave(self) -> bool:
        """Let the training go on alone, if it was ordered so; its iterator then ends without a result."""
        self._is_left = self._outlives
        return self._is_left

    def begin(self) -> str:
        """Wait until it begins.

        Returns
        -------
        str
            The device, in words.

        Raises
        ------
        SliceGANError
            It cannot begin.
        """
        while not isinstance(answer := self._process.answer(_SECONDS_BETWEEN_LOOKS), Begun):
            pass
        return answer.device

    def __iter__(self) -> Iterator[Event]:
        """What happens, until it has ended.

        Raises
        ------
        SliceGANError
            What went wrong, also that the process was killed.
        """
        while self.result is None and not self._is_left:
            answer = self._process.answer(_SECONDS_BETWEEN_LOOKS)
            yield from (event for event in self._follower.poll() if not isinstance(event, Hindered))
            if isinstance(answer, Hindered):
                yield answer
            elif isinstance(answer, Ended):
                self.result = answer

    def close(self) -> None:
        """End the process, or leave it; what it trains is saved."""
        if self._is_left:
            self._process.leave()
        else:
            self._process.end(_SECONDS_TO_SAVE)


class TrainingElsewhere:
    """A training that nobody here has started, followed and asked through its directory.

    Parameters
    ----------
    path : Path
        The run's directory.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._follower = path, Follower(path)
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()  # whoever presses a button waits for no disk
        self._is_left = False
        self.result: Ended | None = None

    def stop(self) -> None:
        """Ask the training to end."""
        self._requests.put(Request.STOP)

    def pause(self) -> None:
        """Ask the training to wait."""
        self._requests.put(Request.PAUSE)

    def proceed(self) -> None:
        """Ask the training to go on."""
        self._requests.put(Request.PROCEED)

    def leave(self) -> bool:
        """Look away; the training goes on."""
        self._is_left = True
        return True

    def __iter__(self) -> Iterator[Event]:
        """What happens, until it has ended.

        Raises
        ------
        TrainingError
            It has failed, or its process has ended without a word.
        """
        looked, before, state = float("-inf"), RunState.TRAINING, RunState.TRAINING
        while self.result is None and not self._is_left:
            if time.monotonic() - looked >= _SECONDS_BETWEEN_SUMMARIES:
                looked = time.monotonic()
                before, state = state, summary_of(self._path).state
            self._ask()
            yield from self._follower.poll()
            has_ended = state not in (RunState.TRAINING, RunState.PAUSED)
            if has_ended and (state is before or state is not RunState.INTERRUPTED):  # or it is about to begin
                self.result = self._ended(state)
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def close(self) -> None:
        """Nothing is left to do."""

    def _ask(self) -> None:
        while not self._requests.empty():
            with suppress(TrainingError, OutputError):  # it has ended meanwhile, which is seen soon
                ask(self._path, self._requests.get())

    def _ended(self, state: RunState) -> Ended:
        status = read_status(self._path)
        if state is RunState.INTERRUPTED:
            raise TrainingError("The process that trained has ended without a word, or the system was shut down.")
        if state is RunState.FAILED or status is None:
            raise TrainingError(summary_of(self._path).message or "The training has failed.")
        reason = EndReason.COMPLETED if state is RunState.FINISHED else EndReason.STOPPED
        return Ended(reason, status.iteration, status.seconds)
