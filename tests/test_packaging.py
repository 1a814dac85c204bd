"""What the package says of itself: version, licence, manifest, links."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import napari_slicegan

NAME = "napari-slicegan"
ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


def requirements(*, extra: str = "") -> dict[str, Requirement]:
    """Required packages by lower-case name: those of an extra, or of every installation."""
    all_of_them = [Requirement(text) for text in metadata.requires(NAME) or []]
    chosen = [r for r in all_of_them if (r.marker is None) == (not extra)]
    chosen = [r for r in chosen if r.marker is None or r.marker.evaluate({"extra": extra})]
    return {r.name.lower(): r for r in chosen}


def test_the_version_stands_in_one_place():
    assert napari_slicegan.__version__ == metadata.version(NAME) == PROJECT["version"]
    sources = sorted((ROOT / "src").rglob("*.py"))
    assert sources
    assert not [path for path in sources if PROJECT["version"] in path.read_text(encoding="utf-8")]


def test_the_changelog_has_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## [{PROJECT['version']}]" in changelog


def test_the_address_stands_in_one_place():
    address = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["repository"]
    texts = [*ROOT.glob("*.*"), *(ROOT / "docs").glob("*.*"), *(ROOT / "src").rglob("*.*")]
    holders = [
        path.name
        for path in texts
        if path.suffix in {".cff", ".md", ".py", ".toml", ".yaml", ".ini"}
        and address in path.read_text(encoding="utf-8")
    ]
    assert holders == ["pyproject.toml"]
    urls = dict(line.split(", ") for line in metadata.metadata(NAME).get_all("Project-URL"))
    assert urls["Source Code"] == address
    assert all(url.startswith(address) for url in urls.values())


def test_links_of_the_published_readme_are_absolute():
    readme = metadata.metadata(NAME).get_payload()
    links = re.findall(r'\]\(([^)\s]+)|(?:src|href)="([^"]+)"', readme)
    relative = [link for pair in links for link in pair if link and not re.match("https?:|#", link)]
    assert not relative


def test_relative_links_become_absolute():
    absolute_links = runpy.run_path(str(ROOT / "tools" / "metadata_hook.py"))["absolute_links"]
    text = '![a](docs/a.png) [b](docs/b.md) <img alt="" src="c.png"> [d](https://d) [e](#e)'
    assert absolute_links(text, "https://host/x", "v1") == (
        "![a](https://host/x/raw/v1/docs/a.png) [b](https://host/x/blob/v1/docs/b.md) "
        '<img alt="" src="https://host/x/raw/v1/c.png"> [d](https://d) [e](#e)'
    )


def test_the_base_brings_no_qt_and_no_napari_and_sets_no_upper_bounds():
    base = requirements()
    assert {"numpy", "torch", "magicgui", "qtpy", "npe2"} <= base.keys()
    assert not base.keys() & {"napari", "pyqt5", "pyqt6", "pyside2", "pyside6"}
    assert {s.operator for r in base.values() for s in r.specifier} == {">="}
    assert {"napari", "pyqt6"} <= requirements(extra="napari").keys()


def test_the_constraints_meet_the_bounds():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert [str(pin) for pin in pins] == ["torch==2.13.0"]
    (pin,) = pins
    (version,) = [s.version for s in pin.specifier]
    assert requirements()["torch"].specifier.contains(version)


def imported() -> set[str]:
    """The packages that the program imports, by the names under which they are installed."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "src").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    modules = {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"napari_slicegan"}
    installed = metadata.packages_distributions()
    return {installed[module][0].lower().replace("_", "-") for module in modules}


def test_whatever_is_imported_is_asked_for():
    extras = [requirements(extra=extra) for extra in ("napari", "dask", "tortuosity", "vti")]
    asked_for = requirements().keys() | {name for extra in extras for name in extra}
    assert "numpy" in imported()
    assert not imported() - asked_for


def oldest(project: dict) -> list[str]:
    return list(runpy.run_path(str(ROOT / "tools" / "oldest.py"))["oldest"](project))


def test_the_oldest_versions_that_are_tested_are_the_bounds():
    extras = [requirements(extra=extra) for extra in ("napari", "dask", "tortuosity", "vti")]
    bounds = [(name, requirement) for group in (requirements(), *extras) for name, requirement in group.items()]
    pins = {f"{name}=={bound.version}" for name, requirement in bounds for bound in requirement.specifier}
    assert {pin.lower() for pin in oldest(PROJECT)} == {pin for pin in pins if not pin.startswith("torch==")}


@pytest.mark.parametrize("text", ["numpy<3", "numpy", "numpy>=1.26,<3"])
def test_what_is_no_lower_bound_cannot_be_tested_as_the_oldest_version(text):
    with pytest.raises(ValueError, match="is not a lower bound"):
        oldest({"dependencies": [text], "optional-dependencies": {"all": []}})


def test_the_napari_hub_can_find_it():
    (manifest,) = metadata.entry_points(group="napari.manifest", name=NAME)
    assert manifest.value == "napari_slicegan:napari.yaml"
    assert "Framework :: napari" in metadata.metadata(NAME).get_all("Classifier")


def test_the_manifest_is_valid():
    npe2 = Path(sys.executable).parent / "npe2"
    result = subprocess.run([npe2, "validate", NAME, "--imports"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "valid" in result.stdout


def test_the_command_is_installed():
    (command,) = metadata.entry_points(group="console_scripts", name=NAME)
    assert callable(command.load())


def test_the_licence_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("BSD 3-Clause License")
    assert PROJECT["license"] == citation["license"] == "BSD-3-Clause"
    assert metadata.metadata(NAME)["License-Expression"] == "BSD-3-Clause"


def test_the_citation_credits_the_method():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    (paper,) = citation["references"]
    assert paper["doi"] == "10.1038/s42256-021-00322-1"
    assert [author["family-names"] for author in paper["authors"]] == ["Kench", "Cooper"]


@pytest.mark.parametrize("name", ["napari.yaml", "py.typed"])
def test_data_files_are_installed(name: str):
    assert (Path(napari_slicegan.__file__).parent / name).is_file()
