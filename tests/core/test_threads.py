"""How many threads torch takes."""

from __future__ import annotations

import torch

from napari_slicegan.core.threads import use_threads


def test_nought_gives_the_choice_back_to_torch():
    own = torch.get_num_threads()
    use_threads(0)
    use_threads(own + 1)
    assert torch.get_num_threads() == own + 1
    use_threads(0)
    assert torch.get_num_threads() == own
