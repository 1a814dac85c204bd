"""Damaged files that thousands of others have led to: each once asked for too much, went on for ever, or warned."""

import json
import re
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_slicegan.core.comparison.samples import read_volume
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.io import read_image
from tests.reliability.guard import little_memory, watched
from tests.reliability.strangers import STRANGERS, put


def test_a_png_file_whose_pixels_claim_gigabytes_is_read_as_far_as_it_goes(tmp_path):
    path, picture = tmp_path / "a.png", np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(picture).save(path)
    content = path.read_bytes()
    place = content.index(b"IDAT") - 4
    path.write_bytes(content[:place] + (2**31 - 1).to_bytes(4, "big") + content[place + 4 :])
    with little_memory(), watched(tmp_path) as errors:
        assert np.array_equal(read_image(path).array, picture)
    assert not errors


def test_a_png_file_of_deep_pixels_claims_two_bytes_for_each(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.arange(108, dtype=np.uint16).reshape(9, 12) * 500).save(path)
    content = path.read_bytes()
    rows = 10_000 * len(content) // 12 - 9  # more than the file can hold, and less if each pixel were a byte
    header = b"IHDR" + content[16:20] + rows.to_bytes(4, "big") + content[24:29]
    path.write_bytes(content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:])
    with pytest.raises(DataError, match="it is damaged or cut short"):
        read_image(path)


@pytest.mark.parametrize(("count", "to"), [(2, -1), (2, 0), (150, -1), (150, 7)])
@pytest.mark.parametrize("big", [False, True])
def test_pages_that_lead_back_to_earlier_ones_are_refused(count, to, big, tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, byteorder="<", bigtiff=big) as file:
        for value in range(count):
            file.write(np.full((6, 7), value, np.uint8), metadata=None, contiguous=False)
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == count
        last, target = file.pages[-1].offset, file.pages[to].offset
    content, (first, tag, place) = bytearray(path.read_bytes()), (8, 20, 8) if big else (2, 12, 4)
    after = last + first + tag * int.from_bytes(content[last : last + first], "little")
    assert content[after : after + place] == bytes(place)  # no page follows
    content[after : after + place] = target.to_bytes(place, "little")
    path.write_bytes(content)
    for read in (read_image, read_volume):
        with little_memory(), watched(tmp_path) as errors:
            read(path)
        assert "its pages lead back to earlier ones" in str(errors[0])


@pytest.mark.parametrize("dtype", ["a4", "|O", "u3", "uint8, uint8", "<U1", ["<u1"], None])
def test_raw_voxels_are_numbers_of_the_kinds_that_are_written(dtype, tmp_path):
    (tmp_path / "v.raw").write_bytes(bytes(64))
    facts = {"dtype": dtype, "shape": [4, 4, 4], "voxel_size": 1.0, "unit": "um"}
    (tmp_path / "v.raw.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="cannot be read as a volume"):
        read_volume(tmp_path / "v.raw")


def test_a_store_without_voxels_is_no_volume(tmp_path):
    put(STRANGERS["OME-Zarr volume"].files(), tmp_path)
    (store,) = tmp_path.iterdir()
    level = store / "0/zarr.json"
    level.write_text(re.sub(r'"shape": ?\[\s*\d+,\s*\d+', '"shape": [5, 0', level.read_text(), count=1))
    with pytest.raises(DataError, match=r"its shape is \(5, 0, \d+\)"):
        read_volume(store)
