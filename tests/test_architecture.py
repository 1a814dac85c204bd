"""Who may import whom, what is imported when, and what the code may not contain."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import napari_slicegan

PACKAGE = Path(napari_slicegan.__file__).parent
ROOT = Path(__file__).parent.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
QT = ("PyQt5", "PyQt6", "PySide2", "PySide6", "qtpy", "superqt")
UNPICKLERS = {"cloudpickle", "dill", "joblib", "marshal", "shelve"}
LONGEST_FILE, LONGEST_FUNCTION = 350, 60


def loaded_after(statement: str) -> set[str]:
    """Top-level names of all modules that a new interpreter holds after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize(
    ("statement", "kept_out"),
    [
        ("import napari_slicegan", {"torch", "numpy", "scipy", "napari", "magicgui", *QT}),
        ("import napari_slicegan.core.config", {"torch", "numpy"}),
        ("import napari_slicegan.core.errors", {"torch", "numpy"}),
        ("import napari_slicegan.core.events", {"torch"}),
        ("import napari_slicegan.core.runs", {"torch"}),
        ("import napari_slicegan.cli", {"torch", "napari", "magicgui", *QT}),
        ("import napari_slicegan.plugin.train.widget", {"torch"}),
        ("import napari_slicegan.plugin.generate.widget", {"torch"}),
        ("import napari_slicegan.plugin.compare.widget", {"torch", "pyqtgraph"}),
        ("import napari_slicegan.plugin.runs.widget", {"torch", "pyqtgraph"}),
        ("import napari_slicegan.core.model_header", {"torch"}),
        ("import napari_slicegan.plugin.sample_data", {"torch"}),
    ],
)
def test_import_stays_light(statement: str, kept_out: set[str]):
    assert not loaded_after(statement) & kept_out


def test_using_the_whole_core_needs_neither_napari_nor_qt():
    paths = (PACKAGE / "core").rglob("[!_]*.py")
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]
    loaded = loaded_after(f"import {', '.join(names)}")
    assert "torch" in loaded
    assert not loaded & {"napari", "magicgui", "npe2", "vispy", "pyqtgraph", *QT}


def test_the_layers_are_kept():
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def forbidden(tree: ast.AST) -> list[str]:
    """What a module does that could run code from a file, each with its line."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                bad = [n.name for n in names if n.name in UNPICKLERS or (n.asname and n.name == "pickle")]
            case ast.ImportFrom(module=str(module), names=names):
                bad = [n.name for n in names if module in UNPICKLERS or module == "pickle"]
            case ast.Attribute(value=ast.Name(id="pickle"), attr=name):
                bad = [name] if name not in {"PickleError", "UnpicklingError"} else []
            case ast.Call():
                bad = forbidden_call(node)
            case _:
                bad = []
        found += [f"line {node.lineno}: {name}" for name in bad]
    return found


def forbidden_call(call: ast.Call) -> list[str]:
    """Whether one call runs text as code, or reads a file in a way that can unpickle it."""
    keywords = {
        keyword.arg: keyword.value.value for keyword in call.keywords if isinstance(keyword.value, ast.Constant)
    }
    name = ast.unparse(call.func)
    bad = (
        name in {"eval", "exec"}
        or (name == "torch.load" and keywords.get("weights_only") is not True)
        or (name in {"np.load", "numpy.load"} and keywords.get("allow_pickle", False) is not False)
    )
    return [name] if bad else []


@pytest.mark.parametrize(
    "code",
    [
        "import dill",
        "import pickle as harmless",
        "from pickle import loads",
        "import pickle; pickle.load(file)",
        "eval('1')",
        "exec(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_the_search_finds_what_is_forbidden(code: str):
    assert forbidden(ast.parse(code))


def test_the_search_lets_errors_be_caught():
    assert not forbidden(ast.parse("import pickle\ntry: f()\nexcept pickle.UnpicklingError: g()"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_is_ever_run_or_unpickled(path: Path):
    assert not forbidden(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_files_and_functions_stay_short(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    long = [
        f"{node.name}, line {node.lineno}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long
