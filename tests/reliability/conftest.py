"""What the tests of reliability take from those of the window."""

from tests.plugin.conftest import open_dock, tiny, train_dock, viewer

__all__ = ["open_dock", "tiny", "train_dock", "viewer"]
