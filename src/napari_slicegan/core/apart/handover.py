"""Training images on their way to another process: a folder that is there until it has read them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import OutputError, TrainingError
from napari_slicegan.core.stored_images import facts_of, read_images, store_images

_FACTS = "facts.json"


@contextmanager
def handed_over(data: TrainingData) -> Iterator[Path]:
    """Write images where another process can read them, for as long as the block lasts.

    Yields
    ------
    Path
        The folder, which nobody else can read.

    Raises
    ------
    OutputError
        There is no room for them.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="napari-slicegan-", ignore_cleanup_errors=True)
    except OSError as error:
        raise OutputError(f"There is no place for temporary files: {error.strerror or error}.") from error
    with folder as name:
        path = Path(name)
        store_images(path, data, limited=False)
        text = json.dumps({"facts": facts_of(data), "fingerprint": data.fingerprint})
        (path / _FACTS).write_text(text, encoding="utf-8")
        yield path


def take_over(folder: Path) -> TrainingData:
    """Read images that were handed over.

    Raises
    ------
    TrainingError
        They are not there any more.
    """
    try:
        content = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError("The images did not reach the process that trains: start the training again.") from error
    return read_images(folder, content["facts"], content["fingerprint"], limited=False)
