"""What a volume will cost, against what it costs."""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.output.formats import OME_ZARR
from napari_slicegan.core.output.streaming import stream
from napari_slicegan.core.precision import resolved
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.volume import estimate as module
from napari_slicegan.core.volume import footprint, stages
from napari_slicegan.core.volume.estimate import Estimate, as_text, calibrate, estimate
from napari_slicegan.core.volume.footprint import working_bytes
from napari_slicegan.core.volume.generation import Generation
from napari_slicegan.core.volume.request import VolumeRequest
from tests.core.test_model import a_model

NETWORKS = {
    "quick": PRESETS["quick"].network,
    "paper": PRESETS["paper"].network,
    "6 2 4": NetworkConfig(kernel=(6,) * 5, stride=(2,) * 5, padding=(4, 4, 4, 4, 6)),
}
SMALL, LARGE = VolumeRequest((64, 64, 64)), VolumeRequest((1024, 1024, 1024))


@pytest.fixture
def model():
    return a_model(channels=(4, 3, 2, 2))


def measured(network: NetworkConfig, precision: Precision) -> int:
    """Peak memory that a new process takes to make a tile, beyond what it has with the model loaded."""
    script = f"""
        import json
        from pathlib import Path
        import torch
        from napari_slicegan.core.config import NetworkConfig
        from napari_slicegan.core.model import ModelInfo, SliceGAN
        from napari_slicegan.core.networks import Generator
        from napari_slicegan.core.choices import Precision
        from napari_slicegan.core.volume.request import VolumeRequest

        def memory(name):
            lines = Path("/proc/self/status").read_text().splitlines()
            return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))

        torch.set_num_threads(1)
        network = NetworkConfig(**json.loads({json.dumps(asdict(network))!r}))
        model = SliceGAN(Generator(network, torch.Generator().manual_seed(0)), ModelInfo(network, (0, 1, 2)))
        torch.nn.functional.conv3d(torch.zeros(1, 1, 4, 4, 4), torch.zeros(1, 1, 2, 2, 2))
        before = memory("VmRSS")
        model.generation(VolumeRequest((128, 128, 128), precision=Precision({str(precision)!r}))).whole()
        print(memory("VmHWM") - before)
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read as Linux tells it")
@pytest.mark.parametrize("name", NETWORKS)
def test_a_tile_takes_the_memory_that_was_foretold(name):
    foretold = working_bytes(NETWORKS[name], Precision.EXACT) + 2 * 128**3
    assert foretold == pytest.approx(measured(NETWORKS[name], Precision.EXACT), rel=0.25)


def test_the_slabs_are_those_of_the_engine():
    assert stages._SLAB_BYTES["cpu"] == footprint._SLAB_BYTES


def test_16_bit_numbers_take_less():
    exact, fast = (working_bytes(NETWORKS["paper"], precision) for precision in (Precision.EXACT, Precision.FAST))
    assert 0.5 * exact < fast < 0.9 * exact  # only the last layers have them, which hold most activations


@pytest.mark.skipif(
    resolved(Precision.AUTO, torch.device("cpu")) is not Precision.FAST,
    reason="a processor without numbers of 16 bits makes them from others, which takes torch more memory",
)
def test_a_tile_in_16_bits_takes_the_memory_that_was_foretold():
    foretold = working_bytes(NETWORKS["paper"], Precision.FAST) + 2 * 128**3
    assert foretold == pytest.approx(measured(NETWORKS["paper"], Precision.FAST), rel=0.25)


def test_in_memory_the_volume_counts_and_streamed_it_does_not(model):
    small, large = (estimate(model, request).memory_bytes for request in (SMALL, LARGE))
    assert large - small == 1024**3 - 64**3
    small, large = (estimate(model, request, OME_ZARR).memory_bytes for request in (SMALL, LARGE))
    assert small == large < 200e6


def test_auto_is_estimated_as_what_it_becomes(model, monkeypatch):
    for becomes in (Precision.EXACT, Precision.FAST):
        monkeypatch.setattr(SliceGAN, "resolved", lambda _, request, to=becomes: replace(request, precision=to))
        auto = estimate(model, replace(SMALL, precision=Precision.AUTO))
        assert auto == estimate(model, replace(SMALL, precision=becomes))
    exact = working_bytes(model.info.network, Precision.EXACT)
    assert auto.memory_bytes - working_bytes(model.info.network, Precision.FAST) < exact


def test_the_memory_of_a_graphics_card_is_another(model, monkeypatch):
    here = estimate(model, LARGE).memory_bytes
    monkeypatch.setattr(SliceGAN, "device", torch.device("cuda"))
    monkeypatch.setattr(SliceGAN, "resolved", lambda _, request: request)
    assert here - estimate(model, LARGE).memory_bytes == working_bytes(model.info.network, Precision.EXACT)


@pytest.mark.parametrize(
    ("settings", "phases", "bytes_per_voxel"),
    [
        ({}, (0, 1, 2), 1),
        ({}, (0, 1, 300), 2),
        ({"output": "grey", "image_channels": 1}, (), 1),
        ({"output": "colour", "image_channels": 3}, (), 3),
    ],
)
def test_the_disk_holds_the_volume_and_its_coarser_levels(settings, phases, bytes_per_voxel):
    model = a_model(phases=phases, channels=(4, 3, 2, 2), **settings)
    request = VolumeRequest((512, 300, 1))
    levels = 512 * 300 + 256 * 150 + 128 * 75
    assert estimate(model, request, OME_ZARR).disk_bytes == bytes_per_voxel * levels
    assert estimate(model, request).disk_bytes == 0
    memory = estimate(model, LARGE).memory_bytes - estimate(model, SMALL).memory_bytes
    assert memory == bytes_per_voxel * (1024**3 - 64**3)


@pytest.mark.parametrize(
    ("request_", "tiles"),
    [(SMALL, 1), (VolumeRequest((129, 128, 256)), 4), (VolumeRequest((2, 2, 2), origin=(-1, -1, -1)), 8)],
)
def test_time_goes_with_the_tiles(model, request_, tiles):
    assert estimate(model, request_, OME_ZARR, 1.5).seconds == 1.5 * tiles
    assert estimate(model, request_, OME_ZARR).seconds is None


@pytest.mark.parametrize(("limit", "times"), [(0.0, 1), (1e9, 2)])
def test_a_calibration_makes_one_tile_or_two_and_only_once(model, limit, times, monkeypatch):
    monkeypatch.setattr(module, "_WORTH_REPEATING", limit)
    made, released = [], []
    make = Generation.make
    monkeypatch.setattr(Generation, "make", lambda self, *args: made.append(self.request) or make(self, *args))
    monkeypatch.setattr(Generation, "release", lambda _: released.append(True))
    seconds = calibrate(model, Precision.EXACT)
    assert seconds > 0
    assert calibrate(model, Precision.EXACT) == seconds
    assert [request.shape for request in made] == [(128,) * 3] * times
    assert released == [True]
    calibrate(model, Precision.FAST)
    assert len(made) == 2 * times


def test_a_calibration_can_be_stopped_and_begun_anew(model):
    def stop(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(model, Precision.EXACT, stop)
    assert estimate(model, SMALL, OME_ZARR).typical_bytes is None
    assert calibrate(model, Precision.EXACT, lambda _: None) > 0


def test_a_sample_tells_what_compression_leaves(model, tmp_path):
    request = VolumeRequest((256, 128, 128))
    assert estimate(model, request, OME_ZARR).typical_bytes is None
    calibrate(model, Precision.EXACT)
    stream(model, request, tmp_path / "v.ome.zarr")
    written = sum(path.stat().st_size for path in (tmp_path / "v.ome.zarr").rglob("*") if path.is_file())
    costs = estimate(model, request, OME_ZARR)
    assert costs.typical_bytes == pytest.approx(written, rel=0.25)
    assert costs.typical_bytes < costs.disk_bytes
    assert estimate(model, request).typical_bytes is None


@pytest.mark.parametrize(
    ("costs", "text"),
    [
        (Estimate(2_100_000_000, 0, 720), "2.1 GB memory, about 12 min"),
        (Estimate(95_400_000, 1_073_741_824, None), "95.4 MB memory, up to 1.07 GB on disk"),
        (Estimate(999_600_000, 2 * 10**12, 5, 10**11), "1 GB memory, about 100 GB on disk, about 5 s"),
        (Estimate(10**6, 0, 0.01), "1 MB memory, about 1 s"),
        (Estimate(10**6, 0, 89.4), "1 MB memory, about 89 s"),
        (Estimate(10**6, 0, 90), "1 MB memory, about 1.5 min"),
        (Estimate(10**6, 0, 3 * 3600), "1 MB memory, about 3 h"),
        (Estimate(10**6, 0, 12.4 * 86400), "1 MB memory, about 12 days"),
        (Estimate(10**6, 0, 1234 * 86400), "1 MB memory, about 1234 days"),
    ],
)
def test_costs_in_words(costs, text):
    assert as_text(costs) == text


def test_an_estimate_needs_no_torch():
    code = "import sys, napari_slicegan.core.volume.estimate; print({'torch', 'zarr', 'numcodecs'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
