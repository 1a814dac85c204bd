"""Damaged and forged files, thousands for each reader: each is read rightly, or refused in a sentence.

    pytest tests/reliability/test_strangers.py --long -k "model"

runs the long form of the readers of that name; without ``--long`` some hundred cases of each are tried. The cases are
always the same ones.
"""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from napari_slicegan.core.errors import SliceGANError
from tests.reliability.damage import damaged
from tests.reliability.guard import little_memory, watched
from tests.reliability.strangers import STRANGERS, Stranger, put

BATCH = 500
_MEMORY = Path("/dev/shm")  # where there is one, files cost nothing


@pytest.fixture
def folder():
    place = tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None)
    yield Path(place) / "files"
    shutil.rmtree(place)


@pytest.mark.parametrize("count", [BATCH, pytest.param(20_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", STRANGERS)
def test_a_strangers_file_is_read_rightly_or_refused_in_a_sentence(name, count, folder):
    stranger = STRANGERS[name]
    attempt(stranger, stranger.files(), folder)  # whole files are read, and all that is needed is imported
    refused = 0
    for number in range(count // BATCH):
        with little_memory():
            refused += a_batch(stranger, number, folder)
    print(f"{name}: {count:,} cases, of which {refused:,} were refused")
    assert stranger.never_fails or refused > count // 50


def a_batch(stranger: Stranger, number: int, folder: Path) -> int:
    """Try some cases, always the same ones for a number; how many of them were refused."""
    tried, refused = 0, 0

    @seed(number)
    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(stranger))
    def try_all(files):
        nonlocal tried, refused
        tried += 1
        refused += attempt(stranger, files, folder) is not None

    try_all()
    assert tried >= BATCH
    return refused


class Case(dict[str, bytes]):
    """Files by their names; a report of thousands of bytes would hide what went wrong."""

    def __repr__(self) -> str:
        return str({name: f"{len(content)} bytes" for name, content in self.items()})


@st.composite
def cases(draw, stranger: Stranger):
    """The files of a reader, one of them damaged or missing."""
    files = dict(stranger.files())
    name = draw(st.sampled_from(list(files)))
    content = draw(damaged(files[name], name))
    if draw(st.integers(0, 49)) == 49 and len(files) > 1:
        del files[name]
        return Case(files)
    return Case(files | {name: content})


def attempt(stranger: Stranger, files: dict[str, bytes], folder: Path) -> SliceGANError | None:
    """Read files; the error with which they were refused, if they were."""
    shutil.rmtree(folder, ignore_errors=True)
    put(files, folder)
    with watched(folder.parent, stranger.frugal) as errors:
        stranger.read(folder)
    assert not (errors and stranger.never_fails), f"it raised {errors[0]!r}"
    return errors[0] if errors else None
