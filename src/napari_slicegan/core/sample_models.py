"""The generators that come with the package, each trained on one of its own materials by `tools/train_samples.py`."""

from __future__ import annotations

from pathlib import Path

from napari_slicegan.core.errors import ModelError

FOLDER = Path(__file__).parent.parent / "data" / "generators"
"""Where they are; a file is called like the material, see `synthetic.MATERIALS`."""

SCHEME = "sample:"
"""What a name of one of them begins with, where a path is expected."""


def sample_models() -> dict[str, Path]:
    """The model files by the names of their materials."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.safetensors"))}


def model_path(place: str | Path) -> Path:
    """The path that people mean: "sample:cathode" is a generator of the package, all else is a path.

    Raises
    ------
    ModelError
        The package has no generator of this name.
    """
    if not isinstance(place, str) or not place.startswith(SCHEME):
        return Path(place)
    models = sample_models()
    try:
        return models[place.removeprefix(SCHEME)]
    except KeyError:
        offered = ", ".join(f"{SCHEME}{name}" for name in models)
        raise ModelError(f"There is no model called {place!r} in the package: choose one of {offered}.") from None
