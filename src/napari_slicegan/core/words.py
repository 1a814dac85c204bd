"""Numbers as people read them."""

from __future__ import annotations

_UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size_in_words(number: int) -> str:
    """Bytes as "1.07 GB": three digits in the unit that suits."""
    unit, factor = next(pair for pair in _UNITS if number >= 0.9995 * pair[1] or pair is _UNITS[-1])
    return f"{number / factor:.3g} {unit}"


def duration(seconds: float) -> str:
    """Seconds as "1:05" or "2:01:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def readable(unit: str) -> str:
    """A unit with its Greek letter and powers: "1/um^2" becomes "1/µm²"."""
    return unit.replace("um", "µm").replace("^2", "²").replace("^3", "³")
