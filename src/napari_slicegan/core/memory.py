"""How much memory there is, and what to say when it ran out. Needs no torch."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.memory_limits import free_in_container, free_in_process, free_in_system
from napari_slicegan.core.words import size_in_words

_WORDS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "unable to allocate",
    "bad_alloc",
    "alloc_failed",  # of CUDA's libraries
    "could not create a memory",  # of the library that convolves on processors
)
SMALLER_WORK = "end other programs, or take smaller images or volumes"
SMALLER_VOLUME = "choose a smaller one, or let it be written to a file as it is made"
OTHER_COMPUTER = "end other programs, or choose another device or a computer with more memory"
SMALLER_TRAINING = (
    "lower generator_volumes and discriminator_volumes, show fewer slices_per_axis, or choose the preset 'quick'"
)


def free_memory() -> int:
    """Bytes that new arrays can take without swapping.

    The least of what the computer, a container or batch job, and a limit of this process leave.
    """
    told = free_in_system(), free_in_container(), free_in_process()
    return max(0, min(free for free in told if free is not None))


def shortage(what: str, needed: int, advice: str, free: int | None = None) -> str:
    """Say that something needs more memory than is free, and what to do; empty if it does not.

    Parameters
    ----------
    what : str
        The something.
    needed : int
        Bytes.
    advice : str
        What to do.
    free : int, optional
        Bytes of another memory than the computer's.
    """
    free = free_memory() if free is None else free
    if needed <= free:
        return ""
    return f"{what} takes about {size_in_words(needed)} of memory, of which {size_in_words(free)} are free: {advice}."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of numpy, torch or the system, on any device, says that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    is_of_torch = any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)  # which need not be loaded
    return is_of_torch or (isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS))


@contextmanager
def memory_errors(explain: Callable[[], SliceGANError]) -> Iterator[None]:
    """Turn errors that say that memory ran out into a sentence, and let go of what the work held.

    Parameters
    ----------
    explain : callable
        Gives the error with the sentence.

    Raises
    ------
    SliceGANError
        Memory has run out.
    """
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        forget_frames(error)
        raise explain() from error


def forget_frames(error: BaseException) -> None:
    """Let go of what the functions that an error has left held: whoever catches it may need the memory."""
    traceback.clear_frames(error.__traceback__)
