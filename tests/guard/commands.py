"""All that the command line does, each in the smallest form; run by tests/test_network.py in an empty directory."""

from pathlib import Path

from napari_slicegan.cli import main
from tests.cli.conftest import TINY, blobs, write
from tests.published import a_generator, lists, save

COMMANDS = [
    "check image.tif",
    "train image.tif --out run --config tiny.toml --iterations 2 --device cpu",
    "info run",
    "generate run --out volume.tif --shape 24 24 24 --device cpu",
    "compare image.tif --volume volume.tif --without-slow --report report",
    "reproduce volume.tif --device cpu",
    "import nmc_Gen.pt nmc_params.data --out imported.safetensors",
]

if __name__ == "__main__":
    here = Path()
    Path("tiny.toml").write_text(TINY, encoding="utf-8")
    write("image.tif", blobs((40, 48)), 0.5)
    params = lists(2)
    save(here, a_generator(params), params)
    for command in COMMANDS:
        assert main(command.split()) == 0, command
