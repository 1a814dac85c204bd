"""Connectivity, local thickness and diffusion of volumes, against exact answers."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage

from napari_slicegan.core.errors import DataError
from napari_slicegan.core.statistics import thickness
from napari_slicegan.core.statistics.connectivity import connectivity
from napari_slicegan.core.statistics.thickness import local_thickness, mean_thickness
from napari_slicegan.core.statistics.transport import Transport, effective_diffusivity
from tests.core import exact


def test_clusters_share_faces_and_reach_through_along_their_axes():
    volume = np.zeros((6, 7, 8), bool)
    volume[:, 1, 1] = True  # through along z
    volume[2, :, 4] = True  # through along y
    volume[2, 2, 4:6] = True
    volume[5, 2, 2] = True  # touches a corner edge of the first only
    volume[0, 6, 7] = True
    found = connectivity(volume)
    total = 6 + 8 + 1 + 1
    assert found.largest == 8 / total
    assert found.percolating == (6 / total, 7 / total + 1 / total, 0)


def test_all_clusters_that_reach_through_count():
    volume = exact.layers((10, 9, 8), 2, (1, 1)) == 0
    found = connectivity(volume)
    assert found.largest == pytest.approx(1 / 4)
    assert found.percolating == pytest.approx((1, 1, 0))
    assert connectivity(np.ones((3, 4, 5), bool)).percolating == (1, 1, 1)


def test_what_is_absent_has_no_connectivity():
    found = connectivity(np.zeros((3, 3, 3), bool))
    assert np.isnan([found.largest, *found.percolating]).all()


def covering_balls(inside: np.ndarray) -> np.ndarray:
    """Local thickness by trying every ball for every voxel."""
    distance = ndimage.distance_transform_edt(inside)
    centres = np.argwhere(inside)
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)  # (voxels, balls)
    radii = distance[inside]
    result = np.zeros(inside.shape)
    result[inside] = 2 * np.where(apart < radii, radii, 0).max(axis=1)
    return result


def test_the_largest_covering_ball_is_that_found_by_trying_all(monkeypatch):
    inside = exact.spheres(0.45, 4.0).draw((13, 14, 15), 3)
    expected = covering_balls(inside)
    rough = local_thickness(inside)
    np.testing.assert_allclose(rough, expected, rtol=0.25)
    assert rough.mean() == pytest.approx(expected.mean(), rel=0.02)
    monkeypatch.setattr(thickness, "_STEPS", 10000)
    np.testing.assert_allclose(local_thickness(inside), expected)


@pytest.mark.parametrize("radius", [6, 15])
def test_a_ball_is_as_thick_as_its_diameter(radius):
    inside = exact.ball(2 * radius + 5, radius, radius + 2.2)
    result = local_thickness(inside)
    assert result[~inside].max() == 0
    assert mean_thickness(result) == pytest.approx(2 * radius, abs=1.1)  # no voxel is at its very centre
    assert result.max() - mean_thickness(result) < 0.5


@pytest.mark.parametrize("axis", range(3))
def test_layers_are_as_thick_as_they_are(axis):
    inside = exact.layers((26, 26, 26), axis, (8, 4)) == 1
    assert np.unique(local_thickness(inside)).tolist() == [0, 4]


def test_thick_parts_and_thin_parts_are_told_apart():
    inside = np.zeros((40, 25, 25), bool)
    inside[2:38, 11:13, 11:13] = True
    inside[15:] |= exact.ball(25, 6)
    result = local_thickness(inside)
    assert result[8, 11, 11] == 2
    assert result[27, 12, 12] == pytest.approx(12, abs=0.9)


def test_all_and_nothing_have_no_thickness():
    assert np.isinf(local_thickness(np.ones((3, 3, 3), bool))).all()
    nothing = local_thickness(np.zeros((3, 3, 3), bool))
    assert nothing.max() == 0
    assert np.isnan(mean_thickness(nothing))


class EnoughError(Exception):
    """The user has had enough."""


def test_thickness_tells_how_far_it_is_and_can_be_ended():
    inside, shares = exact.ball(20, 8), []
    local_thickness(inside, shares.append)
    assert shares[-1] == 1
    assert all(0 < before < after for before, after in pairwise(shares))

    def end(share: float) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        local_thickness(inside, end)


@pytest.mark.parametrize("axis", range(3))
def test_what_is_open_everywhere_diffuses_freely(axis):
    found = effective_diffusivity(np.ones((9, 10, 11), bool), axis)
    assert found.diffusivity == pytest.approx(1, abs=1e-4)
    assert found.tortuosity == pytest.approx(1, abs=1e-4)


def test_layers_along_the_way_conduct_by_their_share_and_across_it_not_at_all(capsys):
    inside = exact.layers((12, 12, 12), 1, (3, 1)) == 0
    for axis in (0, 2):
        found = effective_diffusivity(inside, axis)
        assert found.diffusivity == pytest.approx(0.75, abs=1e-3)
        assert found.tortuosity == pytest.approx(1, abs=1e-3)
    assert effective_diffusivity(inside, 1) == Transport(0.0, np.inf)
    assert effective_diffusivity(inside & False, 0) == Transport(0.0, np.inf)
    assert capsys.readouterr() == ("", "")


def test_a_channel_to_and_fro_conducts_as_resistors_in_a_row_do():
    inside = np.zeros((21, 20, 1), bool)
    inside[1::2] = inside[0::4, 0] = inside[2::4, -1] = True
    resistors = np.count_nonzero(inside)  # steps between them, and half a step at each end
    assert effective_diffusivity(inside, 0).diffusivity == pytest.approx(21 / 20 / resistors, rel=0.01)


def conducted(inside: np.ndarray) -> float:
    """Effective diffusivity along the first axis, by solving for all concentrations at once."""
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(np.count_nonzero(inside))
    matrix, source = np.zeros((inside.sum(),) * 2), np.zeros(inside.sum())
    for axis in range(3):
        along = np.moveaxis(number, axis, 0)
        both = (along[:-1] >= 0) & (along[1:] >= 0)
        one, other = along[:-1][both], along[1:][both]
        matrix[one, other] = matrix[other, one] = -1
    matrix -= np.diag(matrix.sum(axis=1))
    for end, concentration in ((number[0], 1), (number[-1], 0)):
        ends = end[end >= 0]
        matrix[ends, ends] += 2  # half a voxel from the end
        source[ends] += 2 * concentration
    inlet = number[0][number[0] >= 0]
    flux = 2 * (1 - np.linalg.solve(matrix, source)[inlet]).sum()
    return float(flux * len(inside) / inside[0].size)


@pytest.mark.parametrize("axis", range(3))
def test_winding_ways_conduct_as_all_their_voxels_say(axis):
    inside = ~exact.spheres(0.6, 4.0).draw((14, 15, 16), 1)
    inside &= ndimage.label(inside)[0] == 1  # no islands, for which there is no concentration
    expected = conducted(np.moveaxis(inside, axis, 0))
    assert effective_diffusivity(inside, axis).diffusivity == pytest.approx(expected, rel=0.01)


def test_diffusion_tells_how_far_it_is_and_can_be_ended():
    inside, shares = ~exact.spheres(0.4, 4.0).draw((24, 24, 24), 1), []
    effective_diffusivity(inside, 0, shares.append)
    assert shares[-1] == 1
    assert all(0 <= share <= 1 for share in shares)

    def end(share: float) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        effective_diffusivity(inside, 0, end)


def test_without_taufactor_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "taufactor", None)
    with pytest.raises(DataError, match=r'pip install "napari-slicegan\[tortuosity\]"'):
        effective_diffusivity(np.ones((4, 4, 4), bool), 0)
