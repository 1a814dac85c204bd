"""A comparison as a table for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby, pairwise

from napari_slicegan.core.comparison.report.words import SHORT, concise, estimated, scattered, summary, times
from napari_slicegan.core.comparison.result import Comparison, Row, Verdict
from napari_slicegan.core.words import readable

WIDTH = 100
_NAME, _VALUE, _TIMES = 41, 13, 7


def as_text(comparison: Comparison) -> str:
    """The table in lines of at most 100 characters, with the verdicts counted at its end.

    Parameters
    ----------
    comparison : Comparison
        What was found.

    Returns
    -------
    str
        Rows in their groups, each with the truth, the volumes, their difference in uncertainties, the same of a random
        volume, and the verdict; no control characters, whatever the names hold.
    """
    lines = [f"Compared with {comparison.truth}:", *(f"  {volume}" for volume in comparison.volumes)]
    lines = [part for line in lines for part in textwrap.wrap(_clean(line), WIDTH, subsequent_indent="    ")]
    truth = "true volume" if comparison.truth_is_volume else "image"
    lines += ["", _line("", truth, "volumes", "apart", "random", "")]
    for group, rows in groupby(comparison.rows, key=lambda row: row.group):
        lines += ["", group.value]
        for row, following in pairwise([*rows, None]):
            assert row is not None
            lines += _lines(row, following is None or following.note != row.note)
    lines += ["", *textwrap.wrap(summary(comparison), WIDTH), ""]
    lines += textwrap.wrap(
        f"0.412(18) means 0.412 ± 0.018: of the {truth} one standard uncertainty, of volumes the spread between them "
        '(of a lone one its uncertainty). "apart" is the difference of both sides in combined uncertainties (2 is the '
        'limit of agreement), "random" the same of a random volume.',
        WIDTH,
    )
    for note in comparison.notes:
        lines += textwrap.wrap(_clean(note), WIDTH, initial_indent="* ", subsequent_indent="  ")
    return "\n".join(_clean(line).rstrip() for line in lines)


def _lines(row: Row, is_last: bool) -> Iterator[str]:
    """A row; a long name gets a line for itself, and what is missing a reason, once for rows that follow each other."""
    name = f"{row.name} ({readable(row.unit)})" if row.unit else row.name
    if len(name) > _NAME:
        yield from textwrap.wrap(_clean(name), WIDTH, initial_indent="  ", subsequent_indent="    ")
        name = ""
    verdict = row.judgement.verdict
    yield _line(
        name,
        concise(estimated(row.truth)),
        concise(scattered(row.volumes)),
        times(row.judgement.multiple),
        times(row.of_random.multiple),
        SHORT[verdict],
    )
    if is_last and row.note and verdict is Verdict.MISSING:
        yield from textwrap.wrap(_clean(row.note), WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)


def _line(name: str, truth: str, volumes: str, apart: str, random: str, verdict: str) -> str:
    return f"  {name:{_NAME}}{truth:>{_VALUE}}{volumes:>{_VALUE}}{apart:>{_TIMES}}{random:>{_TIMES}}  {verdict}"


def _clean(text: str) -> str:
    """Without what could move the cursor or colour the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
