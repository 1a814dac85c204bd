"""Whether what was made again is the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What a comparison has found.

    Attributes
    ----------
    is_identical : bool
        Whether both are the same, bit for bit.
    found : str
        What was compared and what differs, a sentence.
    """

    is_identical: bool
    found: str
