"""Files that are made to harm: each is refused in a sentence, runs nothing, and costs no memory to speak of."""

import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from napari_slicegan.cli.settings import parse_assignment, read_config
from napari_slicegan.core.checkpoint import read_checkpoint
from napari_slicegan.core.comparison.samples import read_volume
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.errors import ConfigError, DataError, ModelError, SliceGANError
from napari_slicegan.core.io import read_image
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.output.stores import open_store
from tests.core.test_model import a_model
from tests.reliability.guard import little_memory, watched
from tests.reliability.strangers import STRANGERS, put


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self):
        return os.system, (f"touch {self.sign}",)


def refused(read, path: Path) -> SliceGANError:
    """The error of a reader that asks for little memory and does nothing that it should not."""
    path.touch(exist_ok=True)
    with little_memory(), watched(path.parent) as errors:
        read(path)
    assert errors, "it was read"
    return errors[0]


READERS = {
    "checkpoint.pt": SliceGAN.load,
    "model.safetensors": SliceGAN.load,
    "image.tif": read_image,
    "image.npy": read_image,
    "image.png": read_image,
    "volume.vti": read_volume,
    "volume.raw": read_volume,
}


@pytest.mark.parametrize("is_zipped", [False, True])
@pytest.mark.parametrize("name", READERS)
def test_a_pickle_of_any_name_is_never_unpickled(name, is_zipped, tmp_path):
    bomb = pickle.dumps(Bomb(tmp_path / "executed"), protocol=2)
    content = a_zip({"archive/data.pkl": bomb, "archive/version": b"3\n"}) if is_zipped else bomb
    (tmp_path / name).write_bytes(content)
    if name.endswith(".raw"):
        (tmp_path / f"{name}.json").write_bytes(content)
    refused(READERS[name], tmp_path / name)
    assert not (tmp_path / "executed").exists()


def test_an_array_of_python_objects_is_never_loaded_or_mapped(tmp_path):
    np.save(tmp_path / "a.npy", np.array([Bomb(tmp_path / "executed")]), allow_pickle=True)
    refused(read_image, tmp_path / "a.npy")
    (tmp_path / "v.raw").write_bytes(b"\1" * 8**4)  # addresses, if they were taken for objects
    for dtype in ("O", "|O", [["a", "O"]], "V8", "U2", "M8[s]", "<c16"):
        facts = {"shape": [8, 8, 8], "dtype": dtype, "voxel_size": 1, "unit": "um"}
        (tmp_path / "v.raw.json").write_text(json.dumps(facts))
        refused(read_volume, tmp_path / "v.raw")
    assert not (tmp_path / "executed").exists()


def a_zip(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def entries_of(state) -> dict[str, bytes]:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with zipfile.ZipFile(buffer) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


@pytest.fixture
def checkpoint(tmp_path):
    """Writes the state of a model, changed, and gives the path."""
    model = a_model()

    def write(change=None) -> Path:
        state = {"info": model.info.to_json(), "model": dict(model.generator.state_dict())}
        if change:
            change(state)
        torch.save(state, tmp_path / "a.pt")
        return tmp_path / "a.pt"

    return write


def test_a_checkpoint_of_views_that_expand_a_few_numbers_is_refused(checkpoint):
    def expand(state):
        state["model"]["layers.0.weight"] = torch.zeros(1).expand(10**6, 10**6)

    assert SliceGAN.load(checkpoint(), "cpu").info.unit == "um"
    refused(SliceGAN.load, checkpoint(expand))
    refused(SliceGAN.load, checkpoint(lambda state: state.update(more=[torch.zeros(9).expand(10**4, 9)] * 3)))


def test_a_checkpoint_whose_lists_double_and_double_is_read_in_no_time(checkpoint, tmp_path):
    def double(state):
        lists = [[torch.zeros(1)]]
        for _ in range(60):
            lists.append([lists[-1], lists[-1]])
        state["more"] = lists[-1]

    with watched(tmp_path) as errors:
        read_checkpoint(checkpoint(double))
    assert not errors


def test_a_checkpoint_that_claims_more_numbers_than_it_holds_is_refused(tmp_path):
    entries = entries_of({"a": torch.arange(5.0)})
    listing = entries["archive/data.pkl"]
    assert listing.count(b"K\x05") == 2  # numbers of the storage, and its shape
    for number in (10**4, 10**6, 10**12):
        long = b"\x8a\x08" + number.to_bytes(8, "little")
        (tmp_path / "a.pt").write_bytes(a_zip(entries | {"archive/data.pkl": listing.replace(b"K\x05", long)}))
        refused(read_checkpoint, tmp_path / "a.pt")


@pytest.mark.parametrize("name", ["builtins bytearray", "torch Tensor", "torch.storage UntypedStorage"])
def test_a_checkpoint_that_asks_for_memory_by_name_is_refused(name, tmp_path):
    call = b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\n\x8a\x05" + (10**10).to_bytes(5, "little") + b"\x85R."
    (tmp_path / "a.pt").write_bytes(a_zip(entries_of({}) | {"archive/data.pkl": call}))
    refused(read_checkpoint, tmp_path / "a.pt")


def test_a_checkpoint_that_calls_a_storage_is_refused_without_a_warning(tmp_path):
    entries = entries_of({"a": torch.zeros(2)})
    listing = entries["archive/data.pkl"]
    begin, end = listing.index(b"(X\x07\x00\x00\x00storage"), listing.index(b"Q") + 1
    called = listing[: listing.index(b"ctorch._utils")] + listing[begin:end] + b")Rs."  # instead of a tensor's maker
    (tmp_path / "a.pt").write_bytes(a_zip(entries | {"archive/data.pkl": called}))
    refused(read_checkpoint, tmp_path / "a.pt")


def test_a_zip_bomb_is_no_checkpoint(tmp_path):
    entries = entries_of({"a": torch.zeros(2**24)})
    (tmp_path / "a.pt").write_bytes(a_zip(entries, zipfile.ZIP_DEFLATED))
    assert (tmp_path / "a.pt").stat().st_size < 2**17
    refused(read_checkpoint, tmp_path / "a.pt")


@pytest.mark.parametrize("claimed", [2**60, 2**64 - 1, 2**40, 10**8])
def test_a_safetensors_file_whose_header_claims_to_be_huge_is_refused(claimed, tmp_path):
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", claimed) + b'{"a": 1}')
    refused(SliceGAN.load, tmp_path / "a.safetensors")


def test_a_model_whose_header_describes_a_huge_network_is_refused_before_it_is_made(tmp_path):
    model = a_model()
    model.save(tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        header, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    fields = json.loads(header["napari-slicegan"])
    fields["network"] |= {"channels": [2048] * 4, "latent_channels": 1024, "kernel": [16, 16, 16, 16, 16]}
    fields["network"] |= {"stride": [8] * 5, "padding": [8] * 5, "discriminator_channels": [8] * 14}
    save_file(tensors, tmp_path / "a.safetensors", {"napari-slicegan": json.dumps(fields)})
    refused(SliceGAN.load, tmp_path / "a.safetensors")


def tiff_with(path: Path, **tags: int) -> None:
    """Change numbers of the tags of a TIFF file with one page."""
    with tifffile.TiffFile(path, mode="r+b") as file:
        for name, number in tags.items():
            file.pages.first.tags[name].overwrite(number)


def test_a_tiff_file_that_claims_to_be_huge_is_refused(tmp_path):
    for options in ({}, {"compression": "zlib"}):
        tifffile.imwrite(tmp_path / "a.tif", np.zeros((40, 40), np.uint8), **options)
        tiff_with(tmp_path / "a.tif", ImageWidth=10**6, ImageLength=10**6)
        assert "B of pixels" in str(refused(read_image, tmp_path / "a.tif"))


@pytest.mark.parametrize("kind", ["zlib", "lzma"])
def test_a_tiff_file_whose_strip_grows_beyond_its_page_is_refused(kind, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((700, 700), np.uint8), compression="zlib", rowsperstrip=700)
    import lzma

    bomb = {"zlib": zlib.compress, "lzma": lzma.compress}[kind](bytes(2**30))
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content + bomb)
    tiff_with(tmp_path / "a.tif", StripOffsets=len(content), StripByteCounts=len(bomb))
    tiff_with(tmp_path / "a.tif", Compression={"zlib": 8, "lzma": 34925}[kind])
    assert "grow beyond" in str(refused(read_image, tmp_path / "a.tif"))


def test_a_tiff_file_whose_words_multiply_is_refused_or_read_at_no_cost(tmp_path):
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY e0 "ha">{entities}]><OME><Image>&e11;</Image></OME>'
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((9, 9), np.uint8), description=text)
    with little_memory(), watched(tmp_path):
        read_image(tmp_path / "a.tif")


def test_a_png_file_that_claims_to_be_huge_is_refused(tmp_path):
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    for edge in (10**6, 2**31 - 1):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0))
        pixels = chunk(b"IDAT", zlib.compress(bytes(10**6), 9))
        (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b""))
        refused(read_image, tmp_path / "a.png")


@pytest.mark.parametrize("shape", ["(1000000, 1000000)", "(1000000000000,)", "(-1, 5)", f"({'9' * 4000},)", "(4, -4)"])
@pytest.mark.parametrize("dtype", ["|u1", "<f8", "|O", "|V9"])
def test_a_npy_file_that_claims_another_shape_than_it_holds_is_refused(shape, dtype, tmp_path):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(16)
    (tmp_path / "a.npy").write_bytes(content)
    refused(read_image, tmp_path / "a.npy")


def test_a_npy_file_whose_header_claims_to_be_huge_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{}")
    refused(read_image, tmp_path / "a.npy")


@pytest.fixture
def store(tmp_path):
    """Writes a foreign store, and changes fields of its first array."""

    def write(**changes) -> Path:
        put(STRANGERS["OME-Zarr of others"].files(), tmp_path)
        file = tmp_path / "v.zarr" / "0" / ".zarray"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))
        return tmp_path / "v.zarr"

    return write


def test_a_store_of_huge_chunks_or_arrays_is_refused_before_anything_is_read(store):
    assert open_store(store()).levels[0][...].size == 4 * 6 * 7
    with little_memory():
        with pytest.raises(DataError, match="chunks are larger"):
            open_store(store(shape=[10**4] * 3, chunks=[10**4] * 3))
        with pytest.raises(DataError, match="claims"):
            open_store(store(shape=[10**4] * 3))


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "|O", "filters": [{"id": "vlen-utf8"}, {"id": "pickle"}]},
        {"dtype": "|O", "filters": [{"id": "vlen-utf8"}], "compressor": {"id": "pickle"}},
        {"compressor": {"id": "pickle"}},
        {"filters": [{"id": "json2"}]},
        {"dtype": "<U4"},
        {"filters": [{"id": "categorize", "labels": ["a"], "dtype": "|u1", "astype": "|u1"}]},
    ],
)
def test_a_store_of_python_objects_is_never_read(changes, store, tmp_path):
    path = store(**changes)
    (path / "0" / "0" / "0" / "0").write_bytes(pickle.dumps(Bomb(tmp_path / "executed")))
    with watched(tmp_path) as errors:
        open_store(path).levels[0][...]
    assert errors
    assert not (tmp_path / "executed").exists()


NUMBERS = (-1, 10**12, 2**64, float("nan"), float("inf"), -float("inf"), 1e999, 10**5000, "5", None, [], {}, b"1")


def error_of(make, *args, **fields) -> ConfigError | None:
    """The error that settings are refused with, if they are."""
    try:
        make(*args, **fields)
    except ConfigError as error:
        return error
    return None


@pytest.mark.parametrize("kind", [NetworkConfig, TrainingConfig])
def test_absurd_settings_are_refused_in_a_sentence(kind):
    tried = 0
    for name in kind.__dataclass_fields__:
        for value in (*NUMBERS, [[]], [1] * 10**5, [float("nan")] * 5, [-1] * 5, [10**5000] * 5):
            error = error_of(kind, **{name: value})
            if error is None:  # what is allowed is a number within limits
                low, high = (kind.__dataclass_fields__[name].metadata[limit] for limit in ("low", "high"))
                assert low <= value <= high
            else:
                assert len(str(error)) < 1000
                tried += 1
    assert tried > 100


ABSURD = (
    "nan",
    "inf",
    "-1",
    "1e999",
    "9" * 5000,
    "0x10",
    "",
    ",",
    "1,2,x",
    "[" * 3000,
    "10**9",
    "__import__('os')",
    "1;2",
)


@pytest.mark.parametrize("name", ["iterations", "minutes", "channels", "learning_rate", "axes", "kernel", "__class__"])
def test_absurd_assignments_are_refused_in_a_sentence(name):
    for text in ABSURD:
        error = error_of(parse_assignment, f"{name}={text}")
        if error is None:  # which is refused where the setting is used
            assert parse_assignment(f"{name}={text}")[1] in (-1, -1.0, (-1,))
        else:
            assert len(str(error)) < 6000


@pytest.mark.parametrize(
    "text",
    ["minutes = 0x" + "f" * 5000, "minutes = nan", "seed = " + "9" * 5000, "channels = " + "[" * 9000, "axes = {}"],
)
def test_absurd_settings_in_files_are_refused_in_a_sentence(text, tmp_path):
    table = "[network]" if text.startswith("channels") else "[training]"
    (tmp_path / "a.toml").write_text(f"{table}\n{text}\n")
    with pytest.raises(ConfigError):
        read_config(str(tmp_path / "a.toml"))


def test_a_header_nested_without_end_is_refused(tmp_path):
    header = {"napari-slicegan": '{"format": 1, "phases": ' + "[" * 10**5 + "]" * 10**5 + "}"}
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors", header)
    assert isinstance(refused(SliceGAN.load, tmp_path / "a.safetensors"), ModelError)
