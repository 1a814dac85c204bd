"""Watching a run: the bar, the signals, and what is said before and after."""

from __future__ import annotations

import sys
from dataclasses import replace

from napari_slicegan.cli.progress import Bar, training_line
from napari_slicegan.cli.stopping import Stopper
from napari_slicegan.core.events import EndReason, Hindered, Paused, Progress, Recovered
from napari_slicegan.core.presets import PRESETS
from napari_slicegan.core.reports import TrainingResult
from napari_slicegan.core.run import Run
from napari_slicegan.core.runs.status import evaluation_of
from napari_slicegan.core.telling import ending_in_words, recovery_in_words
from napari_slicegan.core.training import Trainer
from napari_slicegan.core.training_memory import training_shortage
from napari_slicegan.core.words import duration


def announce(run: Run, trainer: Trainer) -> None:
    """Say in the first line which preset is used on which device, and what it costs."""
    preset, training = PRESETS.get(run.preset), run.training
    size = trainer.gan.peers.size
    text = f"Preset {run.preset} on {trainer.gan.device.type}{f' with {size} processes' if size > 1 else ''}"
    if preset:
        end = replace(preset.training, iterations=training.iterations, minutes=training.minutes)
        network = replace(preset.network, output=run.network.output, image_channels=run.network.image_channels)
        changed = (run.network, training) != (network, end)
        text += f"{', with changes' if changed else ''}: {preset.description}"
    print(text, flush=True)
    print(f"Images: {trainer.data.summary}", flush=True)
    if problem := training_shortage(trainer.gan, trainer.data):
        print(f"{problem} It is tried all the same.", file=sys.stderr, flush=True)
    if trainer.iteration:
        print(f"Going on with {run.path} after {trainer.iteration} iterations.", flush=True)


def follow(run: Run, trainer: Trainer) -> int:
    """Train to the end, or until a signal or the request of another process.

    Parameters
    ----------
    run : Run
        Where it is recorded.
    trainer : Trainer
        What is trained.

    Returns
    -------
    int
        0 at the end; the exit code of the signal when one came.
    """
    with Stopper(trainer.stop) as stopper, Bar() as bar:
        fraction = 0.0
        bar.show(fraction, "the first iteration is under way")
        for event in run.record(trainer):
            match event:
                case Progress(fraction=fraction):
                    bar.show(fraction, training_line(event, trainer.training, trainer.evaluation))
                case Paused(iteration):
                    bar.show(fraction, f"paused at iteration {iteration}; saved", at_once=True)
                case Hindered(_, message) if message:
                    bar.say(message)
                case Recovered():
                    bar.say(recovery_in_words(event))
    seconds = trainer.result.seconds if trainer.result else 0.0
    done = f"{trainer.iteration} iterations in {duration(seconds)}"
    stopped = trainer.result is not None and trainer.result.reason is EndReason.STOPPED  # perhaps by another process
    print(f"Stopped after {done}; saved." if stopped else f"Trained {done}.")
    if trainer.result:
        _show_quality(trainer.result)
    return stopper.code


def _show_quality(result: TrainingResult) -> None:
    """Say which generator is the model, and how near it is to the micrograph."""
    if words := ending_in_words(result.reason, result.iterations, result.model.info):
        print(words)
    if error := evaluation_of(result.model.info.provenance.get("heldout")):
        means = f"S2 {error.correlation_error:.2g}, fractions {error.fraction_error:.2g}"
        shapes = f"surfaces {100 * error.surface_error:.0f} %, patterns {error.pattern_error:.2g}"
        print(f"Held-out errors at iteration {error.iteration}: {means}, {shapes}.")
