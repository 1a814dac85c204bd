"""What a user chose once and for all in napari's Preferences, on the page *SliceGAN*.

The page itself is in the manifest; what docks start with is read when they are opened.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import platformdirs

PLUGIN, PAGE = "napari-slicegan", "preferences"


@dataclass(frozen=True)
class Preferences:
    """The values of the page.

    Attributes
    ----------
    device : str
        Where to train and generate: "auto" (a GPU where there is one), "cpu", "cuda" or "mps".
    threads : int
        Threads of the processor that torch computes with; 0: as many as torch chooses.
    runs_folder : str
        Where new runs go; empty: `default_folder` chooses.
    preview_seconds : float
        Seconds between two previews of a training; 0: none.
    preset : str
        The preset that the *Train* dock starts with; "auto": the one for the device.
    own_process : bool
        Whether a training runs in a process of its own.
    outlives : bool
        Whether such a training goes on when napari is closed.
    hints : bool
        Whether docks say what to do next.
    """

    device: str = "auto"
    threads: int = 0
    runs_folder: str = ""
    preview_seconds: float = 20.0
    preset: str = "auto"
    own_process: bool = True
    outlives: bool = False
    hints: bool = True


def preferences() -> Preferences:
    """Read the preferences; defaults where napari knows of none, or its file is broken."""
    try:
        page = _page()
        return Preferences(**{field.name: getattr(page, field.name) for field in fields(Preferences)})
    except Exception:  # noqa: BLE001  (napari reads the files of all plugins at once, and any of them may be broken)
        return Preferences()


def set_preference(name: str, value: Any) -> None:
    """Choose a value for good, as in napari's dialog.

    Parameters
    ----------
    name : str
        A field of `Preferences`.
    value : object
        The new value; one that the page does not allow is ignored.
    """
    try:
        setattr(_page(), name, value)
    except Exception:  # noqa: BLE001  (as above; a preference that is not kept is no reason to fail)
        return


def default_folder() -> Path:
    """Where new runs go: the folder that the user chose, or one among the data of the user's programs."""
    chosen = preferences().runs_folder.strip()
    if chosen:
        return Path.home() / Path(chosen).expanduser()  # an absolute path stays what it is
    return platformdirs.user_data_path(PLUGIN, appauthor=False) / "runs"


def _page() -> Any:
    """The page in napari's settings, which are kept whenever a value is assigned."""
    from napari.settings import get_plugin_settings

    return getattr(get_plugin_settings(PLUGIN), PAGE)
