"""Reading of files beside the window: quick things that no other worker may hold up and nobody has to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from qtpy.QtCore import QObject, QTimer

from napari_slicegan.core.errors import SliceGANError

_LOOK_MS = 30
_log = logging.getLogger(__name__)


class Background(QObject):
    """A thread of its own, which does one thing after another; results are given out in the window's thread.

    Parameters
    ----------
    parent : QObject
        When it goes, nothing more is given out.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, "napari-slicegan-reading")
        self._pending: list[tuple[Future[Any], Callable[[Any], None], Callable[[str], None]]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_busy(self) -> bool:
        """Whether something has not been given out yet."""
        return bool(self._pending)

    def run(
        self, func: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[str], None] = lambda _: None
    ) -> None:
        """Do something, after what was asked for before.

        Parameters
        ----------
        func : callable
            What to do; touches neither Qt nor napari.
        done : callable
            Takes its result, in the window's thread.
        failed : callable, optional
            Takes a sentence when it raised an error.
        """
        self._pending.append((self._pool.submit(func), done, failed))
        self._timer.start()

    def _look(self) -> None:
        """Give out what is finished."""
        while self._pending and self._pending[0][0].done():
            future, done, failed = self._pending.pop(0)
            error = future.exception()
            if error is None:
                done(future.result())
                continue
            if not isinstance(error, SliceGANError):
                _log.error("Reading failed", exc_info=error)
            failed(str(error) or type(error).__name__)
        if not self._pending:
            self._timer.stop()
