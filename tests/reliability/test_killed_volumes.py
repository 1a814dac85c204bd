"""A volume whose making is killed at any moment is gone on with, and nothing half made looks complete."""

import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from napari_slicegan.core.output.formats import SUFFIXES, format_of
from napari_slicegan.core.output.streaming import journal_of, part_of
from tests.core.streams import content, names, narrow_model
from tests.reliability import victims

ENDINGS = [ending for ending in SUFFIXES if ending not in (".tiff", ".ome.tiff")]
SHAPE = (90, 100, 110)
"""Of 3 x 4 x 4 tiles, few of them whole."""


@dataclass
class Toll:
    """How many kills there were, how many with a part on the disk, and how many with all tiles there."""

    kills: int = 0
    under_way: int = 0
    finishing: int = 0
    volumes: int = 0


def start(folder: Path, name: str):
    return victims.start(
        folder, "generate", "model.safetensors", "--shape", *SHAPE, "--out", name, "--device", "cpu", "--resume"
    )


def ended(process, seconds: float | None = None) -> int:
    """The exit code of a process; negative when it had to be killed at the end of a time."""
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode


def tiles_done(path: Path) -> int:
    journal = journal_of(path)
    return journal.read_bytes().count(b'"pieces"') if journal.exists() else 0


@pytest.mark.parametrize("kills", [2, pytest.param(17, marks=pytest.mark.long)])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_volume_that_is_killed_at_any_moment_becomes_the_same_file(tmp_path, ending, kills):
    narrow_model().save(tmp_path / "model.safetensors")
    victims.warm_up()
    begin = time.monotonic()
    whole = tmp_path / f"whole{ending}"
    assert ended(start(tmp_path, whole.name)) == 0
    longest = time.monotonic() - begin
    toll, moments, path = Toll(), random.Random(kills), tmp_path / f"v{ending}"
    others = names(tmp_path)
    while toll.kills < kills:
        while ended(start(tmp_path, path.name), moments.uniform(0, longest) if toll.kills < kills else None) != 0:
            toll.kills += 1
            toll.under_way += part_of(path).exists()
            toll.finishing += tiles_done(path) == 48
            check_what_is_left(path, whole)
        assert content(path) == content(whole)
        remove(path)
        assert names(tmp_path) == others
        toll.volumes += 1
    print(ending, toll)


def check_what_is_left(path: Path, whole: Path) -> None:
    """Nothing under the name of the volume, unless it is whole; and what cannot be resumed says so and is removed."""
    if path.exists():
        assert content(path) == content(whole)
    elif not format_of(path).resumable and part_of(path).exists():
        process = start(path.parent, path.name)
        assert ended(process) == 2
        assert "cannot be resumed: remove it" in (path.parent / victims.SAID).read_text()
        part_of(path).unlink()


def remove(path: Path) -> None:
    """Remove a volume with all its files."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    path.with_name(f"{path.name}.json").unlink(missing_ok=True)
