"""The readers of this package: real files for each, what reads them, and what makes a result a sensible one."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import inf, isfinite
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from napari_slicegan.cli.settings import Request, parse_assignment, read_config
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.samples import read_volume
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.io import read_image
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.model_header import read_card, read_info
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.output.reading import open_volume, provenance_of
from napari_slicegan.core.output.sinks.base import VolumeDescription
from napari_slicegan.core.output.stores import is_store, open_store
from napari_slicegan.core.output.streaming import part_of
from napari_slicegan.core.output.unfinished import Unfinished
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs import (
    Follower,
    is_run,
    list_runs,
    newest_preview,
    read_history,
    read_preview,
    summary_of,
)
from napari_slicegan.core.runs.requests import take_request
from napari_slicegan.core.runs.status import read_status
from napari_slicegan.core.training import Trainer
from tests.core.conftest import blobs

Files = dict[str, bytes]
SHAPE = (5, 6, 7)


@dataclass(frozen=True)
class Stranger:
    """A reader.

    Attributes
    ----------
    files : callable
        Gives real files: names within a folder, and their bytes. One of them is damaged.
    read : callable
        Reads them from the folder, and asserts that what it gets makes sense.
    never_fails : bool
        Whether it tells of damage by leaving things out, and raises nothing.
    frugal : bool
        Whether it asks for no more memory than files have bytes. The codecs of Zarr ask for what a chunk claims.
    """

    files: Callable[[], Files]
    read: Callable[[Path], None]
    never_fails: bool = False
    frugal: bool = True


def content_of(folder: Path) -> Files:
    """The files in a folder and its folders."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def put(files: Files, folder: Path) -> None:
    """Write files into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


# ---- runs and models


@cache
def _a_run(evaluations: int = 0) -> Files:
    """The directory of a run that was trained for two updates."""
    import tempfile

    data = _images()
    recipe = TrainingConfig(
        iterations=2,
        discriminator_volumes=1,
        generator_volumes=1,
        real_crops=2,
        discriminator_steps=1,
        slices_per_axis=2,
        report_seconds=0,
        preview_seconds=0,
        evaluation_iterations=evaluations,
    )
    with tempfile.TemporaryDirectory() as folder:
        run, trainer = Run.start(Path(folder) / "run", data, _network(), recipe, "quick")
        list(run.record(trainer))
        (run.path / "run.lock").unlink(missing_ok=True)
        preview = run.path / "previews" / "00000002.tif"
        preview.parent.mkdir(exist_ok=True)
        tifffile.imwrite(preview, np.zeros((8, 8, 8), np.uint8), imagej=True)
        (run.path / "request").write_text("stop")
        return content_of(run.path)


@cache
def _images() -> TrainingData:
    return TrainingData.from_labels(blobs((24, 30)), pixel_size=0.5, unit="um", names=("blobs.tif",))


def _network() -> NetworkConfig:
    """The smallest network that there can be."""
    layers = {"kernel": (4, 4), "stride": (2, 2), "padding": (2, 3), "channels": (4,)}
    return NetworkConfig(**layers, latent_channels=2, discriminator_channels=(3,))


def _some(*names: str) -> Callable[[], Files]:
    return lambda: {name: _a_run()[name] for name in names}


def _read_model(folder: Path) -> None:
    read_card(folder / "model.safetensors")
    model = SliceGAN.load(folder / "model.safetensors", "cpu")
    _check_model(model)
    assert read_info(folder / "model.safetensors") == model.info


def _check_model(model: SliceGAN) -> None:
    assert ModelInfo.from_json(model.info.to_json()) == model.info
    assert all(bool(weight.isfinite().all()) for weight in model.generator.state_dict().values())
    held = sum(weight.untyped_storage().nbytes() for weight in model.generator.state_dict().values())
    assert held < 2**20


def _read_checkpoint(folder: Path) -> None:
    _check_model(SliceGAN.load(folder / "checkpoint.pt", "cpu"))


def _resume(folder: Path) -> None:
    trainer = Trainer.resume(folder / "checkpoint.pt", _images(), device="cpu")
    assert trainer.iteration >= 0
    assert sum(weight.untyped_storage().nbytes() for weight in trainer.gan.generator.parameters()) < 2**20


def _transfer(folder: Path) -> None:
    recipe = TrainingConfig(iterations=1)
    Trainer(_images(), _network(), recipe, "cpu", start_from=folder / "checkpoint.pt")


def _read_run(folder: Path) -> None:
    run = Run.open(folder)
    assert all(isinstance(word, str) for word in (run.preset, run.fingerprint, run.started_from, *run.images))
    assert all(isinstance(line, dict) for line in run.log())
    data = run.data()
    assert sum(source.nbytes for source in data.sources) < 2**20
    assert data.fingerprint == run.fingerprint
    run.recipe(iterations=9)


def _look_at_run(folder: Path) -> None:
    summary = summary_of(folder)
    assert 0 <= summary.fraction <= 1
    assert len(summary.message) < 3000
    is_run(folder)
    list_runs(folder.parent)
    read_status(folder)
    history = read_history(folder)
    assert all(isfinite(report.seconds) for report in history.progress)
    follower = Follower(folder)
    follower._place = 0
    follower.poll()
    newest_preview(folder)
    take_request(folder)


def _read_preview(folder: Path) -> None:
    preview = read_preview(folder / "00000002.tif")
    assert 0 < preview.volume.nbytes < 2**26


# ---- images

GREY = blobs((9, 12)) * 90


def _tiffs() -> Files:
    stack = blobs((3, 9, 12))
    return {
        "plain.tif": _tiff(GREY),
        "imagej.tif": _tiff(
            stack, imagej=True, metadata={"axes": "ZYX", "unit": "um", "spacing": 0.5}, resolution=(2, 2)
        ),
        "ome.tif": _tiff(stack, ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "nm"}),
        "deflate.tif": _tiff(np.stack([GREY] * 3, axis=-1), compression="zlib", photometric="rgb", rowsperstrip=4),
        "tiles.tif": _tiff(GREY.astype(np.uint16), tile=(16, 16), compression="zlib", predictor=True),
        "lzw.tif": _pillow("TIFF", compression="tiff_lzw"),
        "packbits.tif": _pillow("TIFF", compression="packbits"),
        "palette.tif": _tiff(GREY, photometric="palette", colormap=np.zeros((3, 256), np.uint16)),
    }


def _tiff(array: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def _pillow(kind: str, mode: str = "L", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(GREY).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _pngs() -> Files:
    modes = {
        "grey.png": "L",
        "bits.png": "1",
        "colour.png": "RGB",
        "alpha.png": "RGBA",
        "palette.png": "P",
        "deep.png": "I;16",
    }
    return {name: _pillow("PNG", mode) for name, mode in modes.items()}


def _read_images(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        image = read_image(path)
        assert image.array.ndim == len(image.axes)
        assert 0 < image.array.nbytes <= 10_000 * path.stat().st_size
        assert image.pixel_size is None or 0 < image.pixel_size < inf


# ---- volumes


def _description(kind: OutputKind = OutputKind.PHASES) -> VolumeDescription:
    colour = kind is OutputKind.COLOUR
    provenance = {"request": {"seed": 1}, "versions": {"torch": "1"}, "model": "abc"}
    return VolumeDescription(
        (*SHAPE, 3) if colour else SHAPE, np.dtype(np.uint8), kind, () if colour else (0, 1), 0.5, "um", 4, provenance
    )


def _written(name: str, kind: OutputKind = OutputKind.PHASES) -> Callable[[], Files]:
    """The files of a finished volume."""

    @cache
    def files() -> Files:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            with Unfinished(path, _description(kind)) as volume:
                _write(volume, kind)
                volume.finish(lambda _: None)
            return content_of(Path(folder))

    return files


def _broken_off(name: str) -> Callable[[], Files]:
    """The files of a volume under way."""

    @cache
    def files() -> Files:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            try:
                with Unfinished(Path(folder) / name, _description()) as volume:
                    _write(volume, OutputKind.PHASES)
                    raise KeyboardInterrupt
            except KeyboardInterrupt:
                return content_of(Path(folder))

    return files


def _write(volume: Unfinished, kind: OutputKind) -> None:
    volume.write(0, (slice(0, 4), slice(0, 6), slice(0, 7)), _voxels(kind)[:4])
    volume.write(1, *_second(kind))


def _second(kind: OutputKind = OutputKind.PHASES):
    """Place and voxels of the second of two pieces."""
    return (slice(4, 5), slice(0, 6), slice(0, 7)), _voxels(kind)[4:]


def _voxels(kind: OutputKind) -> np.ndarray:
    return np.stack([blobs(SHAPE)] * 3, axis=-1) if kind is OutputKind.COLOUR else blobs(SHAPE)


def _read_volume(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        path = folder / name
        provenance_of(path)
        volume = read_volume(path)
        assert 0 < volume.voxel_size < inf
        _check_voxels(volume.voxels)
        if path.suffix in (".tif", ".npy"):  # which were read as images
            assert open_volume(path).dtype.kind in "buif"

    return read


def _check_voxels(voxels) -> None:
    """Voxels can be read wherever they are, and are numbers."""
    assert np.dtype(voxels.dtype).kind in "buif"
    assert all(size > 0 for size in voxels.shape)
    few = np.prod(voxels.shape, dtype=object) < 10**5
    last = tuple(slice(size - 1, size) for size in voxels.shape)
    for place in [...] if few else [tuple(slice(0, 3) for _ in last), last]:
        np.asarray(voxels[place]).sum()


def _foreign_store() -> Files:
    """A store of version 0.4, with two levels."""
    array = {
        "zarr_format": 2,
        "chunks": [2, 6, 7],
        "dtype": "|u1",
        "fill_value": 0,
        "order": "C",
        "compressor": {"id": "zlib", "level": 1},
        "filters": None,
        "dimension_separator": "/",
    }
    scale = [{"type": "scale", "scale": [1, 0.5, 0.5]}]
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    datasets = [{"path": str(number), "coordinateTransformations": scale} for number in range(2)]
    import zlib

    files = {
        ".zgroup": {"zarr_format": 2},
        ".zattrs": {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]},
        "0/.zarray": {**array, "shape": [4, 6, 7]},
        "1/.zarray": {**array, "shape": [2, 6, 7]},
    }
    chunk = zlib.compress(bytes(range(84)))
    chunks = dict.fromkeys(("0/0/0/0", "0/1/0/0", "1/0/0/0"), chunk)
    return {f"v.zarr/{name}": content for name, content in chunks.items()} | {
        f"v.zarr/{name}": json.dumps(fields).encode() for name, fields in files.items()
    }


def _open_store(folder: Path) -> None:
    is_store(folder / "v.zarr")
    store = open_store(folder / "v.zarr")
    assert len(store.axes) == len(store.units) == len(store.scale) == len(store.translation)
    assert all(isfinite(number) for number in (*store.scale, *store.translation))
    for level in store.levels:
        _check_voxels(level)


def _go_on(name: str) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        path = folder / name
        try:
            with Unfinished(path, _description(), resume=True) as volume:
                assert volume.tally.voxels <= 210
                assert all(number >= 0 for number in volume.done)
                _ = volume.tally.fractions if volume.tally.voxels else ()
                volume.write(1, *_second())
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        assert part_of(path).exists()

    return read


# ---- settings

SETTINGS = b"""[network]
kernel = [4, 4, 4, 4, 4]
channels = [512, 256, 128, 64]
latent_channels = 64
upsampling = "transpose"

[training]
iterations = 100
minutes = 2.5
seed = 7
learning_rate = 1e-4
normalization = "batch"
"""


def _read_settings(folder: Path) -> None:
    values = read_config(str(folder / "settings.toml"))
    end = {name: values.pop(name) for name in ("iterations", "minutes") if name in values}
    network, training = Request(None, values, end).applied_to(PRESETS["quick"])
    assert all(map(isfinite, (training.minutes, training.learning_rate)))
    assert network.edge > 0


def _read_assignments(folder: Path) -> None:
    for line in (folder / "assignments").read_bytes().decode("utf-8", "replace").splitlines():
        name, value = parse_assignment(line)
        Request(None, {name: value}, {}).applied_to(PRESETS["quick"])


STRANGERS = {
    "model": Stranger(_some("model.safetensors"), _read_model),
    "checkpoint as a model": Stranger(_some("checkpoint.pt"), _read_checkpoint),
    "checkpoint to resume": Stranger(lambda: {"checkpoint.pt": _a_run(1)["checkpoint.pt"]}, _resume),
    "checkpoint to start from": Stranger(_some("checkpoint.pt"), _transfer),
    "run": Stranger(_some("config.json", "images.safetensors", "log.jsonl"), _read_run),
    "run at a glance": Stranger(
        _some("config.json", "status.json", "log.jsonl", "request", "previews/00000002.tif"), _look_at_run, True
    ),
    "preview": Stranger(lambda: {"00000002.tif": _a_run()["previews/00000002.tif"]}, _read_preview),
    "TIFF": Stranger(_tiffs, _read_images),
    "PNG": Stranger(_pngs, _read_images),
    "JPEG": Stranger(lambda: {"grey.jpg": _pillow("JPEG"), "colour.jpg": _pillow("JPEG", "RGB")}, _read_images),
    "NPY": Stranger(lambda: {"a.npy": _npy(GREY), "b.npy": _npy(GREY.astype(">f4"))}, _read_images),
    "TIFF volume": Stranger(_written("v.tif"), _read_volume("v.tif")),
    "OME-TIFF volume": Stranger(_written("v.ome.tif"), _read_volume("v.ome.tif")),
    "NPY volume": Stranger(_written("v.npy"), _read_volume("v.npy")),
    "raw volume": Stranger(_written("v.raw"), _read_volume("v.raw")),
    "VTI volume": Stranger(_written("v.vti"), _read_volume("v.vti")),
    "OME-Zarr volume": Stranger(_written("v.ome.zarr"), _read_volume("v.ome.zarr"), frugal=False),
    "OME-Zarr of others": Stranger(_foreign_store, _open_store, frugal=False),
    "unfinished NPY": Stranger(_broken_off("v.npy"), _go_on("v.npy")),
    "unfinished TIFF": Stranger(_broken_off("v.tif"), _go_on("v.tif")),
    "unfinished OME-Zarr": Stranger(_broken_off("v.ome.zarr"), _go_on("v.ome.zarr"), frugal=False),
    "settings": Stranger(lambda: {"settings.toml": SETTINGS}, _read_settings),
    "assignments": Stranger(
        lambda: {"assignments": b"iterations=5\nchannels=8,8,8,8\nminutes=1.5\naxes=alike"}, _read_assignments
    ),
}
