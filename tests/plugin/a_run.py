"""Directories of runs, made without training."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.events import Evaluation, Progress
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs.status import RunState, RunStatus
from napari_slicegan.core.writing import write_volume
from tests.plugin.conftest import two_phases
from tests.plugin.generating import a_model

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def a_run(
    path: Path, state: RunState = RunState.STOPPED, *, reports: int = 3, model: bool = True, **status: Any
) -> Path:
    """A run of two phases with this state, some reports, two previews and a model."""
    quick = PRESETS["quick"]
    data = TrainingData.from_images(two_phases(), kind="phases", pixel_size=0.5, unit="um", names=("micrograph",))
    data_with_colours = {"phase_names": ("Pore", "Grain"), "phase_colours": ("#102030", "#ff8800")}
    data = TrainingData(**{**{name: getattr(data, name) for name in data.__dataclass_fields__}, **data_with_colours})
    Run.create(path, data, quick.network, quick.training, "quick")
    found = {"iteration": reports, "fraction": 0.25, "seconds": 60.0, "started": START, "updated": START} | status
    (path / "status.json").write_text(RunStatus(state, **found).to_json())
    with (path / "log.jsonl").open("w") as log:
        for number in range(1, reports + 1):
            log.write(progress_line(number))
            log.write(json.dumps({"event": "evaluation", **asdict(Evaluation(number, 0.1 / number, 0.2))}) + "\n")
    (path / "previews").mkdir()
    for iteration in (1, reports):
        volume = np.full((16, 16, 16), 1, np.uint8)
        volume[:, :, 8:] = 2
        write_volume(path / "previews" / f"{iteration:08d}.tif", volume, 0.5, "um", labels=True)
    if model:
        (path / "checkpoint.pt").write_bytes(b"older than the model, so not read")
        a_model().save(path / "model.safetensors")
    return path


def progress_line(iteration: int) -> str:
    """A report as it stands in a log."""
    report = Progress(iteration, 20.0 * iteration, 0.25, 5.0, 180.0, 1.0 / iteration, 0.1, -1.0, 1.0)
    return json.dumps({"event": "progress", **asdict(report)}) + "\n"


def later(days: int) -> datetime:
    """A start after the first one."""
    return START + timedelta(days=days)
