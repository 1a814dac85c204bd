"""What goes on the clipboard for a bug report, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

from napari_slicegan.plugin.parts.details import bug_report
from napari_slicegan.plugin.work.job import State, Status


def test_all_that_helps_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("SECRET", "from the environment")
    run = tmp_path / "run"
    run.mkdir()
    config = {"preset": "quick", "network": {"channels": [4]}, "training": {"seed": 17}, "images": ["my secret layer"]}
    (run / "config.json").write_text(json.dumps(config))
    (run / "log.jsonl").write_text("".join(f'{{"iteration": {number}}}\n' for number in range(100)))
    status = Status(State.FAILED, f"The disk of {run} is full.", path=run, details="Traceback\n  a line\nKeyError: 'x'")
    text = bug_report(status)
    for words in ("napari-slicegan ", "torch ", "numpy ", "Qt ", "Python 3", '"seed": 17', "KeyError", '"quick"'):
        assert words in text
    assert "The disk of ~/run is full." in text
    assert str(tmp_path) not in text
    assert "secret" not in text
    assert "from the environment" not in text
    assert '{"iteration": 79}' not in text
    assert '{"iteration": 80}' in text


def test_without_a_run(tmp_path):
    assert "### Settings" not in bug_report(Status(State.FAILED, "x", details="y"))
    (tmp_path / "config.json").write_text("[1]")
    assert "### Settings" not in bug_report(Status(State.FAILED, "x", path=tmp_path))
