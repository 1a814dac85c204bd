"""Finding the model that has made a volume, among those that lie near."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from napari_slicegan.core.errors import ModelError, SliceGANError
from napari_slicegan.core.files import MODEL
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_header import read_info
from napari_slicegan.core.reproducing.volume import VolumePast
from napari_slicegan.core.sample_models import sample_models

_MOST = 1000  # entries of a folder that are looked at
_TOPICS = ("fingerprint", "iterations", "generator")


def model_of(past: VolumePast, folders: Iterable[Path], device: str) -> SliceGAN:
    """Find the model of a volume.

    Parameters
    ----------
    past : VolumePast
        What the volume says of how it was made.
    folders : iterable of Path
        Where to look: for model files and for runs. The generators of the package are looked at as well.
    device : str
        "auto", "cpu", "cuda" or "mps".

    Returns
    -------
    SliceGAN
        The one with the same weights.

    Raises
    ------
    ModelError
        There is none.
    """
    for file in dict.fromkeys(_files(folders)):
        if not _has_made(file, past):
            continue
        model = SliceGAN.load(file, device)
        if past.model == model.fingerprint:
            return model
    raise ModelError(
        "The model that made the volume is not beside it, nor in a run there: name it, or its run, with --model."
    )


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        try:
            entries = sorted(islice(folder.iterdir(), _MOST))
        except OSError:
            continue
        yield from (entry for entry in entries if entry.suffix == ".safetensors" and entry.is_file())
        yield from (entry / MODEL for entry in entries if (entry / MODEL).is_file())
    yield from sample_models().values()


def _has_made(file: Path, past: VolumePast) -> bool:
    """Whether a model tells the same of its training as the volume does."""
    try:
        told = read_info(file).provenance
    except SliceGANError:  # files of others
        return False
    return bool(past.model) and all(told.get(topic) == past.training.get(topic) for topic in _TOPICS)
