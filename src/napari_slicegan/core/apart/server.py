"""The process that trains for another one: it takes one order after the other, and ends with a training."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Protocol

from napari_slicegan.core.apart.handover import take_over
from napari_slicegan.core.apart.messages import (
    Answer,
    Begin,
    Begun,
    Ended,
    Failed,
    GoOn,
    Measure,
    Measured,
    Order,
    Ready,
    line_of,
    message_of,
)
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import SliceGANError, TrainingError
from napari_slicegan.core.events import Hindered
from napari_slicegan.core.interruption import Switch
from napari_slicegan.core.memory import SMALLER_TRAINING
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs.requests import Request
from napari_slicegan.core.threads import use_threads
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.training_estimate import measure

_PATIENCE = 600.0  # seconds that a process waits for an order before it gives its memory back
_FIRST_VICTIM = "500"  # for Linux when memory runs out: this process before a window with all that is open in it


class _Stoppable(Protocol):
    def stop(self) -> None: ...


class Hand:
    """Passes on what is asked of the work under way, also what was asked before it was there."""

    def __init__(self) -> None:
        self._guard = threading.RLock()  # a signal may come while it is held
        self._work: _Stoppable | None = None
        self._is_stopped = False
        self.outlives = False

    def expect(self, order: Order) -> None:
        """What is asked from now on is asked of this order."""
        with self._guard:
            self._is_stopped = False
            self.outlives = not isinstance(order, Measure) and order.outlives

    def hold(self, work: _Stoppable) -> None:
        """Take a new work in hand."""
        with self._guard:
            self._work = work
            if self._is_stopped:
                work.stop()

    def ask(self, request: Request) -> None:
        """Pass on a request."""
        with self._guard:
            if request is Request.STOP:
                self._is_stopped = True
                if self._work is not None:
                    self._work.stop()
            elif isinstance(self._work, Trainer):
                self._work.pause() if request is Request.PAUSE else self._work.proceed()


class Server:
    """Does what another process orders.

    Parameters
    ----------
    orders, answers : binary files
        The ends of two pipes.
    """

    def __init__(self, orders: BinaryIO, answers: BinaryIO) -> None:
        self._source, self._answers = orders, answers
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()  # which a handler of signals may use
        self.hand = Hand()

    def run(self) -> None:
        """Take orders until a training has ended, or nobody is there to give any."""
        threading.Thread(target=self._listen, name="orders to a SliceGAN training", daemon=True).start()
        self._say(Ready())
        with suppress(queue.Empty):
            while (order := self._orders.get(timeout=_PATIENCE)) is not None:
                self._obey(order)
                if not isinstance(order, Measure):
                    return

    def _listen(self) -> None:
        """Hear orders and requests; when nobody is there any more, end what is not to go on alone."""
        for line in self._source:
            with suppress(ValueError):
                message = message_of(line)
                if isinstance(message, Request):
                    self.hand.ask(message)
                elif isinstance(message, Measure | Begin | GoOn):
                    self.hand.expect(message)
                    self._orders.put(message)
        if self.hand.outlives:
            self._orders.put(None)
        else:
            self.end()

    def end(self) -> None:
        """Stop what is under way, save it, and take no more orders; from any thread, or a handler of signals."""
        self._orders.put(None)
        self.hand.ask(Request.STOP)

    def _obey(self, order: Order) -> None:
        try:
            use_threads(order.threads)
            if isinstance(order, Measure):
                self._say(self._measured(order))
            else:
                self._train(order)
        except SliceGANError as error:
            self._say(Failed(type(error).__name__, str(error)))
        except MemoryError:  # torch's own errors are sentences already
            self._say(Failed(TrainingError.__name__, f"The training does not fit into memory: {SMALLER_TRAINING}."))
        except Exception as error:  # noqa: BLE001  (a defect: whoever has ordered is told of it)
            self._say(Failed("", f"{type(error).__name__}: {error}", traceback.format_exc()))

    def _measured(self, order: Measure) -> Measured:
        stop = Switch()
        self.hand.hold(stop)
        network, training = NetworkConfig(**order.network), TrainingConfig(**order.training)
        costs = measure(take_over(order.data), network, training, order.device, stop)
        return Measured(asdict(costs) if costs else None)

    def _train(self, order: Begin | GoOn) -> None:
        from napari_slicegan.core.device import device_in_words

        run, trainer = _begun(order) if isinstance(order, Begin) else _gone_on(order)
        self.hand.hold(trainer)
        self._say(Begun(device_in_words(trainer.gan.device)))
        for event in run.record(trainer):
            if isinstance(event, Hindered):
                self._say(event)
        assert trainer.result is not None
        result = trainer.result
        self._say(Ended(result.reason, result.iterations, result.seconds))

    def _say(self, answer: Answer) -> None:
        with suppress(OSError):  # of a training that outlives whoever has ordered it
            self._answers.write(line_of(answer))
            self._answers.flush()


def serve() -> None:
    """Take orders from the standard input, and answer on the standard output."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    if sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_FIRST_VICTIM, encoding="ascii")
    server = Server(orders, answers)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever looks after this process
    signal.signal(signal.SIGTERM, lambda *_: server.end())
    server.run()


def _begun(order: Begin) -> tuple[Run, Trainer]:
    data = take_over(order.data)
    network, training = NetworkConfig(**order.network), TrainingConfig(**order.training)
    start_from = order.start_from or None
    return Run.start(order.path, data, network, training, order.preset, order.device, start_from)


def _gone_on(order: GoOn) -> tuple[Run, Trainer]:
    run = Run.open(order.path)
    return run, run.trainer(run.data(), run.further(order.minutes, order.iterations), order.device)
