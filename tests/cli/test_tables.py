"""What is counted while a volume is made reads like what is measured on it."""

import numpy as np
import pytest

from napari_slicegan.cli.tables import intensity_rows, phase_rows, tally_rows
from napari_slicegan.core.output.tally import Tally

RNG = np.random.default_rng(7)


def test_phases():
    volume = RNG.choice([0, 7, 300], size=(8, 9, 10), p=[0.2, 0.3, 0.5]).astype(np.uint16)
    assert tally_rows(Tally.of(volume, (0, 7, 300)), (0, 7, 300)) == phase_rows([volume], (0, 7, 300))


@pytest.mark.parametrize("shape", [(8, 9, 10), (8, 9, 10, 3)], ids=["grey", "colour"])
def test_intensities(shape):
    volume = RNG.integers(3, 250, shape, dtype=np.uint8)
    assert tally_rows(Tally.of(volume, ()), ()) == intensity_rows([volume])
