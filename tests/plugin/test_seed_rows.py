"""Seeds as people write them."""

from __future__ import annotations

import pytest

from napari_slicegan.core.errors import ModelError
from napari_slicegan.plugin.generate.seed_rows import seeds_of


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0", (0,)),
        (" 7 ", (7,)),
        ("1, 2, 5-8", (1, 2, 5, 6, 7, 8)),
        ("3,1,3", (3, 1)),
        ("5 - 5", (5,)),
        ("0-999", tuple(range(1000))),
        (str(10**17), (10**17,)),
    ],
)
def test_seeds_that_can_be_read(text, seeds):
    assert seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "-3", "1.5", "1,", "8-5", "1-2-3", "1;2", "²"])
def test_seeds_that_cannot(text):
    with pytest.raises(ModelError, match="write for example"):
        seeds_of(text)


@pytest.mark.parametrize("text", ["0-1000", "1, 0-999999999999", "0-999, 0-1"])
def test_too_many(text):
    with pytest.raises(ModelError, match="more than 1000"):
        seeds_of(text)
