"""What every test stands on."""

from __future__ import annotations

import os
import signal

# Whoever runs the tests in the background may have told them to ignore Ctrl-C, and so all processes that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Before napari is imported: an empty name keeps the user's settings out of the tests and untouched.
os.environ["NAPARI_CONFIG"] = ""
os.environ.setdefault("QT_API", "pyqt6")
