"""What every test stands on."""

from __future__ import annotations

import os

# Before napari is imported: an empty name keeps the user's settings out of the tests and untouched.
os.environ["NAPARI_CONFIG"] = ""
os.environ.setdefault("QT_API", "pyqt6")
