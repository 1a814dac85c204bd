"""The bar on a terminal, and the lines where there is none."""

import io
import time

import pytest

from napari_slicegan.cli.progress import Bar, Meter, training_line
from napari_slicegan.core.config import TrainingConfig
from napari_slicegan.core.events import Progress
from napari_slicegan.core.words import duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


EVENT = Progress(12, 65.0, 0.25, 3.14159, 3725.0, 1.5, 0.0625, -0.5, 0.25)


def test_the_line_tells_speed_losses_and_times():
    line = training_line(EVENT, TrainingConfig(iterations=48))
    assert line == "it 12/48  3.14 it/s  1:05, ETA 1:02:05  distance 1.5  penalty 0.0625"
    assert training_line(EVENT, TrainingConfig(iterations=0, minutes=2)).startswith("it 12  3.14 it/s")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3599, "59:59"), (3600, "1:00:00")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_on_a_terminal_one_line_is_redrawn_and_never_wraps(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    terminal = Terminal()
    with Bar(terminal) as bar:
        for done in range(5):
            bar.show(done / 4, "text " * 30)
    before, *drawn = terminal.getvalue().split("\r")
    assert (before, len(drawn)) == ("", 5)
    assert terminal.getvalue().endswith("\n")
    assert terminal.getvalue().count("\n") == 1
    assert all(len(line.replace("\033[K", "").rstrip("\n")) == 49 for line in drawn)
    assert drawn[2].startswith(" 50% text")


@pytest.mark.parametrize(("columns", "bar"), [(30, "[####----] "), (200, f"[{'#' * 12}{'-' * 12}] "), (20, "")])
def test_the_bar_takes_the_room_that_the_numbers_leave(monkeypatch, columns, bar):
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal()
    Bar(terminal).show(0.5, "1234567890123")
    assert terminal.getvalue() == f"\r{bar} 50% 1234567890123\033[K"


def test_what_matters_most_fits_into_eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    event, terminal = Progress(5399, 35990.0, 0.25, 0.1234, 35999.0, -12.345, 0.01234, -0.5, 0.25), Terminal()
    Bar(terminal).show(event.fraction, training_line(event, TrainingConfig()))
    assert "25% it 5399/5400  0.123 it/s  9:59:50, ETA 9:59:59  distance -12.3  pen" in terminal.getvalue()


def test_elsewhere_lines_come_every_ten_seconds_and_at_the_end(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    file = io.StringIO()
    with Bar(file) as bar:
        for second in range(26):
            now[0] = second
            bar.show(second / 25, f"second {second}")
    seconds = [int(line.split()[-1]) for line in file.getvalue().splitlines()]
    assert seconds == [0, 10, 20, 25]
    assert "\r" not in file.getvalue()


def test_a_meter_counts_only_what_is_made_now(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    file = io.StringIO()
    meter = Meter(Bar(file, seconds=0), 4_000_000)
    for seconds, fraction in ((0, 0.5), (10, 0.75), (12, 1.0), (13, 1.0)):
        now[0] = 100.0 + seconds
        meter(fraction)
    texts = [line.split("] ")[1].strip() for line in file.getvalue().splitlines()]
    assert texts == [
        "50% generating",
        "75% generating, 1e+05 voxels/s, ETA 0:10",
        "100% generating, 1.67e+05 voxels/s, ETA 0:00",
    ]
