"""What is published: both distributions are built, checked, and the wheel does its work where it alone is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.guard import loopback_only

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """What a command says; without what leads to the source."""
    clean = {**os.environ, "PYTHONPATH": loopback_only.FOLDER}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=clean)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return source, wheel


@pytest.fixture(scope="module")
def installed(distributions: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel, whose dependencies are those of this one."""
    environment = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        scripts / "python",
        "install",
        "--no-deps",
        "--no-index",
        distributions[1],
    )
    run(scripts / "python", "-c", "import napari_slicegan")  # without any of its dependencies
    place = run(scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(place) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return scripts


def test_both_are_well_formed(distributions):
    assert run(sys.executable, "-m", "twine", "check", "--strict", *distributions).count("PASSED") == 2


def test_the_wheel_holds_the_package_and_nothing_else(distributions):
    source, wheel = distributions
    package = {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / "napari_slicegan").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
    assert {name for name in names if ".dist-info/" not in name} == package
    assert any(name.endswith("licenses/LICENSE") for name in names)
    with tarfile.open(source) as content:
        inside = {name.partition("/")[2] for name in content.getnames()}
    assert {f"src/{name}" for name in package} <= inside
    assert {"pyproject.toml", "README.md", "LICENSE", "tox.ini", "constraints.txt", "tests/conftest.py"} <= inside


def test_the_installed_wheel_works(installed, tmp_path):
    program = installed / "napari-slicegan"
    where = run(installed / "python", "-c", "import napari_slicegan; print(napari_slicegan.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert "napari-slicegan" in run(program, "--version", cwd=tmp_path)
    assert "phases" in run(program, "info", "sample:cathode", cwd=tmp_path)
    assert "valid" in run(installed / "python", "-m", "npe2", "validate", "napari-slicegan", cwd=tmp_path)
    blocks = np.random.default_rng(0).integers(0, 2, (24, 24), np.uint8)
    tifffile.imwrite(tmp_path / "image.tif", np.kron(blocks, np.ones((4, 4), np.uint8)))
    end = ("--set", "evaluation_iterations=0", "--iterations", "1", "--device", "cpu")
    run(program, "train", "image.tif", "--preset", "quick", "--out", "run", *end, cwd=tmp_path)
    run(program, "generate", "run", "--shape", "16", "16", "16", "--out", "volume.tif", cwd=tmp_path)
    assert tifffile.imread(tmp_path / "volume.tif").shape == (16, 16, 16)
