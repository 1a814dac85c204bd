"""What changes from a pixel to the next, and how a generator is pulled by it."""

import numpy as np
import pytest
import torch

from napari_slicegan.core import tension
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.surfaces import steps
from napari_slicegan.core.tension import LARGEST, SurfaceTension, hardened


def one_hot(labels: torch.Tensor, phases: int) -> torch.Tensor:
    return torch.stack([labels == phase for phase in range(phases)], dim=1).float()


def test_neighbours_of_each_two_phases_count():
    line = torch.tensor([0, 0, 1, 2, 0, 1]).view(1, 1, 1, 6)
    found = steps(one_hot(line, 3), 4, OutputKind.PHASES).tolist()
    assert found == pytest.approx([2 / 5, 1 / 5, 1 / 5])  # of phases 0 and 1, 0 and 2, 1 and 2


def test_intensities_count_by_the_square_of_their_steps():
    lines = torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.5]]).view(1, 2, 3, 1, 1)
    assert steps(lines, 2, OutputKind.COLOUR).tolist() == pytest.approx([0.25 / 2, 1.25 / 2])


def test_hardened_voxels_are_of_one_phase_and_have_the_gradients_of_the_probabilities():
    outputs = torch.randn((2, 3, 5, 5, 5), generator=torch.Generator().manual_seed(0), requires_grad=True)
    weights = torch.rand((2, 3, 5, 5, 5), generator=torch.Generator().manual_seed(1))
    soft = torch.softmax(outputs, dim=1)
    hard = hardened(soft)
    assert torch.equal(hard.argmax(dim=1), soft.argmax(dim=1))
    assert set(hard.detach().unique().round(decimals=5).tolist()) == {0.0, 1.0}
    wanted, found = (
        torch.autograd.grad((each * weights).sum(), outputs, retain_graph=True)[0] for each in (soft, hard)
    )
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("sign", [1, -1])
def test_too_many_faces_are_pulled_away_and_too_few_are_made(sign):
    pulls = SurfaceTension(2, 1.0)
    pulls.adjust(np.full((3, 1), 0.1 * sign), np.full((3, 1), 0.3), 500)
    assert pulls.weights.flatten().tolist() == pytest.approx([0.1 * sign * 500 / 1000 / 0.3] * 3)
    outputs = torch.randn((1, 2, 12, 12, 12), generator=torch.Generator().manual_seed(0), requires_grad=True)
    optimizer = torch.optim.SGD([outputs], lr=1000.0)

    def faces():
        return steps(hardened(torch.softmax(outputs, dim=1)), 3, OutputKind.PHASES).item()

    before = faces()
    for _ in range(10):
        optimizer.zero_grad()
        pulls.loss(torch.softmax(outputs, dim=1)).backward()
        optimizer.step()
    assert sign * (faces() - before) < -0.02


def test_each_kind_and_axis_has_a_weight_of_its_own():
    pulls = SurfaceTension(3, 1000.0)
    excess = np.zeros((3, 3))
    excess[1, 2] = 1e-4
    pulls.adjust(excess, np.full((3, 3), 0.5), 1)
    volume = one_hot(torch.tensor([1, 2, 1, 2, 0, 0]).view(1, 1, 6, 1).expand(1, 2, 6, 2), 3)  # along y
    assert pulls.loss(volume).item() == pytest.approx(1e-4 / 0.5 * 3 / 5 / 3)
    assert pulls.loss(volume.transpose(3, 4)).item() == 0


def test_weights_add_up_and_stay_bounded():
    pulls, wanted = SurfaceTension(2, 1.0), np.full((3, 1), 0.25)
    for _ in range(2):
        pulls.adjust(np.full((3, 1), 0.1), wanted, 1000)
    assert pulls.weights.flatten().tolist() == pytest.approx([0.2 / 0.25] * 3)
    pulls.adjust(np.full((3, 1), 100.0), wanted, 1000)  # of a generator that has not learnt yet
    assert pulls.weights.flatten().tolist() == pytest.approx([(0.2 + tension._LARGEST_EXCESS) / 0.25] * 3)
    pulls.adjust(np.full((3, 1), 0.1), wanted, 10**6)
    assert pulls.weights.flatten().tolist() == pytest.approx([LARGEST / 0.25] * 3)


def test_grey_levels_are_left_alone():
    """A generator that is rewarded for their steps makes nothing else."""
    pulls = SurfaceTension(0, 1.0)
    pulls.adjust(np.full((3, 1), -0.1), np.full((3, 1), 0.25), 1000)
    assert not pulls.weights.numel()


def test_weights_of_another_training_or_none_at_all_are_refused():
    pulls = SurfaceTension(2, 1.0)
    pulls.load(torch.full((3, 1), 0.5))
    assert pulls.weights.flatten().tolist() == [0.5] * 3
    for wrong in (torch.zeros(3, 3), torch.full((3, 1), float("nan"))):
        with pytest.raises(ValueError, match="do not fit"):
            pulls.load(wrong)
    pulls.adjust(np.full((3, 1), np.nan), np.full((3, 1), 0.25), 1000)
    assert pulls.weights.flatten().tolist() == [0.5] * 3
