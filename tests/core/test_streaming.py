"""Volumes that go to the disk as they are made: the same as in memory, however often they are broken off."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.output.reading import open_volume
from napari_slicegan.core.output.streaming import journal_of, stream
from napari_slicegan.core.volume.request import VolumeRequest
from tests.core.streams import (
    CONTIGUOUS,
    REQUEST,
    RESUMABLE,
    TILES,
    StopError,
    content,
    names,
    read,
    stop_at,
)
from tests.core.test_model import a_model

pytestmark = pytest.mark.usefixtures("small_tiles")


@pytest.mark.parametrize("suffix", [*RESUMABLE, ".vti"])
def test_it_is_the_volume_that_is_made_in_memory(tmp_path, model, suffix):
    fractions = []
    path = tmp_path / f"v{suffix}"
    tally = stream(model, REQUEST, path, progress=fractions.append)
    expected = model.generate(REQUEST.shape, 3, origin=REQUEST.origin)
    np.testing.assert_array_equal(read(path), expected)
    assert tally.fractions == tuple((expected == phase).mean() for phase in (0, 128, 255))
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert len(set(fractions)) > TILES * 2
    assert names(tmp_path) == {path.name} | ({f"v{suffix}.json"} if suffix in (".raw", ".npy") else set())


@pytest.mark.parametrize("output", ["grey", "colour"])
def test_intensities(tmp_path, output):
    model = a_model(output=output, image_channels=3 if output == "colour" else 1, channels=(3, 2, 2, 2))
    expected = model.generate(REQUEST.shape, 3, origin=REQUEST.origin)
    for suffix in CONTIGUOUS:
        tally = stream(model, REQUEST, tmp_path / f"v{suffix}")
        np.testing.assert_array_equal(read(tmp_path / f"v{suffix}"), expected)
        channels = expected.reshape(33 * 60 * 48, -1)
        np.testing.assert_allclose(tally.moments, list(zip(channels.mean(0), channels.std(0), strict=True)))
    with tifffile.TiffFile(tmp_path / "v.tif") as tif:
        assert tif.pages[0].photometric == (tifffile.PHOTOMETRIC.RGB if output == "colour" else 1)


def test_a_periodic_volume(tmp_path, model):
    request = VolumeRequest((32, 64, 160), seed=1, periodic="zx")
    stream(model, request, tmp_path / "v.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), model.generate((32, 64, 160), 1, "zx"))


@pytest.mark.parametrize("suffix", RESUMABLE)
@pytest.mark.parametrize("fractions", [(0.3,), (0.2, 0.5, 0.8), (0.99,)])
def test_broken_off_and_resumed_it_is_the_same_file(tmp_path, model, suffix, fractions):
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"v{suffix}"
    tally = stream(model, REQUEST, whole)
    for fraction in fractions:
        with pytest.raises(StopError):
            stream(model, REQUEST, path, resume=True, progress=stop_at(fraction))
        assert not path.exists()
        assert names(tmp_path) >= {f"v{suffix}.part", f"v{suffix}.part.journal"}
    seen = []
    assert stream(model, REQUEST, path, resume=True, progress=seen.append) == tally
    assert seen[0] >= fractions[-1] * 0.9 - 1 / TILES
    assert content(path) == content(whole)
    assert not [name for name in names(tmp_path) if "part" in name]


@pytest.mark.parametrize("suffix", RESUMABLE)
def test_only_what_is_missing_is_made(tmp_path, model, monkeypatch, suffix):
    with pytest.raises(StopError):
        stream(model, REQUEST, tmp_path / f"v{suffix}", progress=stop_at(0.5))
    generation = type(model.generation(REQUEST))
    made, make = [], generation.make
    monkeypatch.setattr(generation, "make", lambda *args: made.append(args[1].start) or make(*args))
    stream(model, REQUEST, tmp_path / f"v{suffix}", resume=True)
    assert 5 <= len(made) <= 7
    assert len(set(made)) == len(made)


def killed_half_way(path):
    """A process that makes a volume and is killed, with a tile under way."""
    script = f"""
        import sys, torch
        from napari_slicegan.core.volume import tiles
        from napari_slicegan.core.output import unfinished
        from napari_slicegan.core.output.streaming import stream
        from tests.core.streams import REQUEST, narrow_model

        torch.set_num_threads(1)
        tiles.TILE, unfinished.SECONDS_BETWEEN_RECORDS = 32, -1

        def progress(fraction):
            if fraction > 0.55:
                print("half", flush=True)
                sys.stdin.read()

        stream(narrow_model(), REQUEST, {str(path)!r}, progress=progress)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout.readline() == "half\n"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("suffix", [".npy", ".raw", ".ome.zarr", ".tif"])
def test_killed_and_resumed_it_is_the_same_file(tmp_path, model, suffix):
    whole, path = tmp_path / f"whole{suffix}", tmp_path / f"v{suffix}"
    tally = stream(model, REQUEST, whole)
    killed_half_way(path)
    assert not path.exists()
    with journal_of(path).open("ab") as journal:  # as if killed in the middle of a line
        journal.write(b'{"pieces":[6],"vox')
    started = []
    assert stream(model, REQUEST, path, resume=True, progress=started.append) == tally
    assert started[0] > 0.4
    assert content(path) == content(whole)


def test_what_cannot_be_made_touches_nothing(tmp_path, model):
    with pytest.raises(ModelError, match="multiple of 32"):
        stream(model, VolumeRequest((30, 32, 32), periodic="z"), tmp_path / "v.npy")
    assert names(tmp_path) == set()


def peak_memory(edge, path):
    """Peak resident memory, in kilobytes, of a new process that makes a cube and nothing else."""
    # Not `getrusage` where there is /proc: there the peak of whoever started a process counts as its own.
    script = f"""
        import pathlib, torch
        from napari_slicegan.core.volume.request import VolumeRequest
        from napari_slicegan.core.output.streaming import stream
        from tests.core.test_model import a_model

        torch.set_num_threads(1)
        stream(a_model(channels=(3, 2, 2, 2)), VolumeRequest(({edge},) * 3), {str(path)!r})
        status = pathlib.Path("/proc/self/status")
        if status.exists():
            print(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")))
        else:
            import resource, sys
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=root, env=environment)
    return int(result.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="the peak is read the POSIX way")
@pytest.mark.parametrize("suffix", [".npy", ".tif"])
def test_memory_does_not_grow_with_the_volume(tmp_path, suffix):
    small, large = (peak_memory(edge, tmp_path / f"{edge}{suffix}") for edge in (64, 512))
    assert open_volume(tmp_path / f"512{suffix}").shape == (512, 512, 512)
    assert large - small < 512**3 / 1024 / 2  # half of what the volume takes: how memory is handed out varies
