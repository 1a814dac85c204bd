"""The other end: a process that trains, in the hand of whoever has started it. No torch."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from typing import IO

from napari_slicegan.core import errors
from napari_slicegan.core.apart.messages import Answer, Failed, Order, Ready, line_of, message_of
from napari_slicegan.core.errors import DefectError, SliceGANError, TrainingError
from napari_slicegan.core.runs.requests import Request

_COMMAND = ("-P", "-m", "napari_slicegan.core.apart")  # -P: nothing is imported from the folder one happens to be in
_LAST_WORDS = 4000  # bytes of what it has said last that are told
_PATIENCE = 10.0  # seconds in which it ends by itself
_left: list[subprocess.Popen[bytes]] = []  # processes that go on alone; Python would warn of them


class Process:
    """A process that takes orders; it is started at once and needs some seconds until it is ready.

    Raises
    ------
    TrainingError
        It cannot be started.
    """

    def __init__(self) -> None:
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._said: IO[bytes] = _place_for_words()
        try:
            self._popen = _start(self._said)
        except OSError as error:
            self._said.close()
            raise TrainingError(
                f"No process can be started to train in ({error.strerror or error}): let napari train in its own "
                "process, in its Preferences on the page SliceGAN."
            ) from error
        self._reader = threading.Thread(target=self._read, name="answers of a SliceGAN training", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be given orders."""
        return self._popen.poll() is None

    def send(self, message: Order | Request) -> None:
        """Give an order, or ask something of the work under way; one that has ended does not hear it."""
        pipe = self._popen.stdin
        with suppress(OSError, ValueError):
            assert pipe is not None
            pipe.write(line_of(message))
            pipe.flush()

    def answer(self, timeout: float) -> Answer | None:
        """The next answer to an order.

        Parameters
        ----------
        timeout : float
            Seconds to wait for one.

        Returns
        -------
        Answer or None
            None where there is none yet.

        Raises
        ------
        SliceGANError
            What went wrong in it; a `DefectError` with what it has said last when it has ended without an answer.
        """
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            return None
        if answer is None:
            self._answers.put(None)  # whoever asks again is told the same
            raise DefectError(death_in_words(self._popen.wait(_PATIENCE)), self._last_words())
        if isinstance(answer, Failed):
            raise _error_of(answer)
        return None if isinstance(answer, Ready) else answer

    def end(self, patience: float = _PATIENCE) -> None:
        """Tell it that nobody looks after it any more, and wait until it has ended; kill it where that takes long."""
        self._let_go()
        try:
            self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join()
        self._close()

    def leave(self) -> None:
        """Let it go on alone: it was ordered to outlive whoever looks after it."""
        self._let_go()
        _left[:] = [self._popen, *(process for process in _left if process.poll() is None)]

    def _let_go(self) -> None:
        pipe = self._popen.stdin
        with suppress(OSError):
            assert pipe is not None
            pipe.close()

    def _close(self) -> None:
        self._said.close()
        if self._popen.stdout is not None:
            self._popen.stdout.close()

    def _read(self) -> None:
        """Take in answers until there are no more."""
        pipe = self._popen.stdout
        assert pipe is not None
        for line in pipe:
            with suppress(ValueError):
                message = message_of(line)
                if not isinstance(message, Request):
                    self._answers.put(message)  # type: ignore[arg-type]  # an order is never answered
        self._answers.put(None)

    def _last_words(self) -> str:
        try:
            self._said.seek(max(0, self._said.seek(0, 2) - _LAST_WORDS))
            return self._said.read().decode("utf-8", "replace")
        except (OSError, ValueError):
            return ""


def _error_of(answer: Failed) -> SliceGANError:
    """The error that was raised in the process."""
    kind = getattr(errors, answer.kind, None)
    if isinstance(kind, type) and issubclass(kind, SliceGANError):
        return kind(answer.sentence)
    return DefectError(f"The process that trained has a defect: {answer.sentence}.", answer.details)


def _place_for_words() -> IO[bytes]:
    """A file without a name: a pipe would end with this process, which the other one may outlive."""
    return tempfile.TemporaryFile()


def death_in_words(code: int) -> str:
    """How a process has ended, in a sentence for people.

    Parameters
    ----------
    code : int
        Its return code; minus a signal's number where one has ended it.
    """
    if sys.platform != "win32" and code == -signal.SIGKILL:
        return (
            "The process that trained was killed, most likely by the system because memory ran out: close other "
            "programs, or train with fewer generator_volumes and discriminator_volumes or the preset 'quick'."
        )
    if code < 0:
        with suppress(ValueError):
            return f"The process that trained was ended by the signal {signal.Signals(-code).name}."
    return f"The process that trained has ended without a word (code {code})."


def _start(said: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a process that hears nothing of Ctrl-C and of closed terminals."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return subprocess.Popen(
        [sys.executable, *_COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        start_new_session=True,
        creationflags=flags,
    )
