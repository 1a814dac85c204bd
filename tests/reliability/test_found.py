"""Damaged files that thousands of others have led to: each once asked for too much, went on for ever, or warned."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_slicegan.core.comparison.samples import read_volume
from napari_slicegan.core.errors import DataError
from napari_slicegan.core.io import read_image
from tests.reliability.guard import little_memory, watched


def test_a_png_file_whose_pixels_claim_gigabytes_is_read_as_far_as_it_goes(tmp_path):
    path, picture = tmp_path / "a.png", np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(picture).save(path)
    content = path.read_bytes()
    place = content.index(b"IDAT") - 4
    path.write_bytes(content[:place] + (2**31 - 1).to_bytes(4, "big") + content[place + 4 :])
    with little_memory(), watched(tmp_path) as errors:
        assert np.array_equal(read_image(path).array, picture)
    assert not errors


def test_pages_that_lead_back_to_earlier_ones_come_to_an_end(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, byteorder="<") as file:
        for value in range(2):
            file.write(np.full((6, 7), value, np.uint8), metadata=None, contiguous=False)
    with tifffile.TiffFile(path) as file:
        first, last = (page.offset for page in file.pages)
    content = bytearray(path.read_bytes())
    tags = int.from_bytes(content[last : last + 2], "little")
    after = last + 2 + 12 * tags
    assert content[after : after + 4] == bytes(4)  # no page follows
    content[after : after + 4] = first.to_bytes(4, "little")
    path.write_bytes(content)
    with watched(tmp_path) as errors:
        read_image(path)
    assert "parts that it lists are missing" in str(errors[0])


@pytest.mark.parametrize("dtype", ["a4", "|O", "u3", "uint8, uint8", "<U1", ["<u1"], None])
def test_raw_voxels_are_numbers_of_the_kinds_that_are_written(dtype, tmp_path):
    (tmp_path / "v.raw").write_bytes(bytes(64))
    facts = {"dtype": dtype, "shape": [4, 4, 4], "voxel_size": 1.0, "unit": "um"}
    (tmp_path / "v.raw.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="cannot be read as a volume"):
        read_volume(tmp_path / "v.raw")
