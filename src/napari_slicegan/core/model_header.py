"""What a model file says of itself, without its weights and without torch."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from napari_slicegan.core.errors import ModelError, brief
from napari_slicegan.core.files import MODEL, is_own_file
from napari_slicegan.core.model_info import ModelInfo

HEADER = "napari-slicegan"


def read_info(path: str | Path) -> ModelInfo:
    """Read what a model is.

    Parameters
    ----------
    path : path
        A model file, or the directory of a run that has one.

    Returns
    -------
    ModelInfo
        Checked; the weights may be damaged all the same.

    Raises
    ------
    ModelError
        There is no model file, it is damaged, or it is one of something else.
    """
    path = Path(path)
    file = path / MODEL if path.is_dir() else path
    if path.is_dir() and not is_own_file(file):
        raise ModelError(f"There is no model in {path}.")
    try:
        with safe_open(file, framework="numpy") as content:
            header = (content.metadata() or {}).get(HEADER)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{file} is not a model of napari-slicegan, or it is damaged ({brief(error)}).") from error
    if header is None:
        raise ModelError(f"{file} is not a model of napari-slicegan.")
    return ModelInfo.from_json(header)


def read_card(path: str | Path) -> dict[str, str]:
    """What the author of a model says of it; nothing where there is no model file."""
    try:
        return read_info(path).card
    except ModelError:
        return {}
