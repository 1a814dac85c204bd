"""A checkpoint replaces the one before as a whole, or not at all."""

from pathlib import Path

import pytest
import torch

from napari_slicegan.core.checkpoint import read_checkpoint, write_checkpoint
from napari_slicegan.core.errors import OutputError


def test_a_checkpoint_that_cannot_be_finished_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, {"tensor": torch.ones(3), "iteration": 1})

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(OutputError, match="No space left"):
            write_checkpoint(path, {"tensor": torch.zeros(3), "iteration": 2})
    assert [entry.name for entry in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert read_checkpoint(path)["iteration"] == 1
    write_checkpoint(path, {"tensor": torch.zeros(3), "iteration": 2})
    assert read_checkpoint(path)["iteration"] == 2
