"""The frame of the command line: help, exit codes, and how errors are said."""

import os
import subprocess
import sys

import pytest

import napari_slicegan
from napari_slicegan.cli import generate, info


@pytest.mark.parametrize("args", [("--help",), ("train", "--help"), ("train",), ("info",)])
def test_help_and_usage_errors_do_not_wait_for_torch(args):
    code = f"from napari_slicegan.cli import main\ntry: main({args!r})\nexcept SystemExit: pass\n"
    code += "import sys; print('TORCH' if 'torch' in sys.modules else 'LIGHT')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "LIGHT"


def test_the_version(command):
    outcome = command("--version")
    assert (outcome.code, outcome.out) == (0, f"napari-slicegan {napari_slicegan.__version__}\n")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "required: COMMAND"),
        (("paint",), "invalid choice: 'paint'"),
        (("train", "a.tif"), "required: --out"),
        (("check",), "required: IMAGE"),
        (("train", "a.tif", "--out", "run", "--iterations", "1", "--minutes", "1"), "not allowed with"),
        (("train", "a.tif", "--out", "run", "--iter", "1"), "unrecognized arguments: --iter"),
        (("train", "a.tif", "--out", "run", "--axis", "w"), "invalid choice: 'w'"),
        (("generate", "m", "--out", "v.tif"), "required: --shape"),
        (("generate", "m", "--out", "v.tif", "--shape", "4", "4"), "expected 3 arguments"),
        (("generate", "m", "--out", "v.tif", "--shape", "4", "4", "4", "--periodic", "u"), "'u' are not axes"),
    ],
)
def test_usage_errors_are_two_lines_and_name_the_help(command, args, words):
    outcome = command(*args)
    assert outcome.code == 2
    problem, hint = outcome.err.splitlines()
    assert problem.startswith("napari-slicegan: ")
    assert words in problem
    assert hint.startswith("Try: napari-slicegan")
    assert hint.endswith("--help")


def test_an_error_is_a_sentence_and_debug_shows_where_it_came_from(command):
    plain = command("info", "nothing.tif")
    assert (plain.code, plain.out) == (2, "")
    assert plain.err.startswith("napari-slicegan: There is no file or directory nothing.tif")
    assert len(plain.err.splitlines()) == 1
    for args in (("--debug", "info", "nothing.tif"), ("info", "nothing.tif", "--debug")):
        shown = command(*args)
        assert shown.code == 2
        assert "Traceback" in shown.err
        assert shown.err.endswith(plain.err)


def test_a_defect_is_told_from_a_mistake(command, monkeypatch):
    monkeypatch.setattr(info, "describe", lambda _: 1 // 0)
    outcome = command("info", "image.tif")
    assert outcome.code == 1
    assert outcome.err == (
        "napari-slicegan: this is a defect of the program: ZeroDivisionError: integer division or modulo by "
        "zero. Run the same command with --debug and report what it shows.\n"
    )


def test_that_memory_ran_out_is_no_defect(command, monkeypatch):
    def too_much(_):
        raise MemoryError

    monkeypatch.setattr(info, "describe", too_much)
    outcome = command("info", "image.tif")
    assert outcome.code == 2
    assert outcome.err == (
        "napari-slicegan: There is not enough memory for this: end other programs, or take smaller images or volumes.\n"
    )


def test_ctrl_c_where_nothing_needs_saving(command, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "check_outputs", interrupted)
    outcome = command("generate", "model", "--shape", 1, 1, 1, "--out", "v.tif")
    assert (outcome.code, outcome.err) == (130, "napari-slicegan: interrupted.\n")


def test_a_reader_that_has_gone_is_no_error():
    result = subprocess.run(
        [sys.executable, "-m", "napari_slicegan", "info", "paper"],
        stdout=_closed_pipe(),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def _closed_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def test_the_process_gives_the_exit_code(start):
    process = start("info", "nothing.tif")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("napari-slicegan: There is no file")
