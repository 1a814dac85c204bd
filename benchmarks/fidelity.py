"""How faithful volumes are that were learnt from slices of a material, after so many minutes, against its 3D truth.

    python benchmarks/fidelity.py run MATERIAL [--data DIR] [--preset quick] [--set name=value ...] [--at 5 15]
        [--start-from MODEL] [--iterations N]
    python benchmarks/fidelity.py table [MATERIAL ...] [--rows]

`run` trains once for each of `--seeds`, keeps the model of each time of `--at` (minutes on the clock of the training;
with `--iterations` that of the end, after so many updates, for changes that are not about speed), and judges them all
when the training is over: volumes of latents that no training saw, cut into blocks, against blocks of a piece of the
material that was not trained on. The presets `random` (independent voxels) and `truth` (one half of that piece against
the other) tell what the numbers mean. Each result is a line of `--results`; what is there is not done again. `--data`
is the folder of the volumes that are read from files. `table` prints the results in Markdown.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import torch
from fidelity_table import Record, read, table
from materials import MATERIALS, Labels, Material, against_images, noise
from rows import Measures, blocks_of, compare, lattice_artefacts, measure_blocks, summary

from napari_slicegan.cli.settings import Request, parse_assignment
from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.device import choose_device
from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.events import Evaluation, Progress
from napari_slicegan.core.model import SliceGAN
from napari_slicegan.core.presets import PRESETS, preset_named
from napari_slicegan.core.sample import in_pairs
from napari_slicegan.core.training import Trainer

RANDOM, TRUTH = "random", "truth"
FIRST_SEED = 1000  # of the volumes that are judged

_IDENTITY = ("material", "preset", "overrides", "recipe", "start_from", "seed", "minutes", "updates", "at")
_IDENTITY += ("volumes", "diffusivity", "threads", "device")
_IN_NAMES = ("material", "preset", "recipe", "seed", "at")  # of the files of models
_END = math.inf  # of the times of a training: that of its end

Snapshot = tuple[SliceGAN, int, float]  # a model on its way: after so many updates and seconds


class Judge:
    """Judges volumes of one material, whose files are in a folder."""

    def __init__(self, material: Material, folder: Path | None, with_diffusivity: bool) -> None:
        self.material, self._with_diffusivity = material, with_diffusivity
        images, self.truth = material.load(folder)
        self.data = TrainingData.from_images(*images, kind=OutputKind.PHASES, axis=material.axis)
        self.of_truth = self.measured([self.truth])

    def measured(self, volumes: Sequence[Labels]) -> Measures:
        """Cut volumes into blocks and measure these."""
        blocks = [block for volume in volumes for block in blocks_of(volume, self.material.block)]
        return measure_blocks(blocks, self.material.phases, self._with_diffusivity)

    def judge(self, volumes: Sequence[Labels], truth: Measures | None = None) -> Record:
        """Rows, notes and summary of volumes of one shape, against the truth or a part of it."""
        rows, notes = compare(truth or self.of_truth, self.measured(volumes))
        lattice = lattice_artefacts(volumes, len(self.material.phases))
        numbers = summary(rows) | against_images(self.material, self.data, volumes)
        numbers |= {"lattice_worst": max(lattice.values()), "lattice": lattice}
        return {"summary": numbers, "rows": [asdict(row) for row in rows], "notes": notes}


def train(
    trainer: Trainer, times: Sequence[float], judged: Callable[[Evaluation], None] = lambda _: None
) -> tuple[dict[float, Snapshot], str]:
    """Train, and keep the best model so far of each of some times, in minutes; also tells why it failed, if it did."""
    kept: dict[float, Snapshot] = {}
    waiting = sorted(times)
    try:
        for event in trainer:
            if isinstance(event, Evaluation):
                judged(event)
            while isinstance(event, Progress) and waiting and event.seconds >= 60 * waiting[0]:
                kept[waiting.pop(0)] = trainer.model, event.iteration, event.seconds
    except TrainingError as error:
        return kept, str(error)
    if result := trainer.result:  # the clock of a training that has settled stands still
        kept |= dict.fromkeys(waiting, (result.model, result.iterations, result.seconds))
    return kept, ""


def trained(judge: Judge, wanted: Sequence[Record], folder: Path | None) -> Iterator[Record]:
    """Train once, and judge the models of the wanted results, which differ in their times only; a folder keeps them."""
    first = wanted[0]
    trainer = Trainer(judge.data, *settings_of(first), first["device"], start_from=first.get("start_from"))
    evaluations: list[Evaluation] = []
    kept, failure = train(trainer, [record.get("at", _END) for record in wanted], evaluations.append)
    found = {"evaluations": [list(astuple(each)) for each in evaluations]}
    for record in wanted:
        at = record.get("at", _END)
        if at not in kept:  # a result as well: without it a table would tell of those that went well
            yield record | {"failed": failure} | found
            continue
        model, iterations, seconds = kept[at]
        if folder:
            model.save(folder / f"{'_'.join(str(record.get(name, 'end')) for name in _IN_NAMES)}.safetensors")
        volumes = held_out(model, judge.material.edge, record["volumes"])
        chosen = model.info.provenance.get("heldout", {}).get("iteration")
        yield record | {"iterations": iterations, "chosen": chosen, "seconds": seconds} | found | judge.judge(volumes)


def settings_of(record: Record) -> tuple[NetworkConfig, TrainingConfig]:
    """Networks and recipe of a training."""
    changes = record["overrides"] | {"seed": record["seed"], "preview_seconds": 0.0}
    request = Request(
        record["preset"], changes, {"minutes": record.get("minutes", 0.0), "iterations": record.get("updates", 0)}
    )
    return request.applied_to(preset_named(record["preset"]))


def digest(record: Record) -> str:
    """Tells settings apart: those of a preset may change while its name stays."""
    network, training = settings_of(record)
    told = asdict(network) | asdict(replace(training, seed=0, minutes=0.0, iterations=1))
    del told["contrast"]  # of grey levels and colours; all materials here are phases
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]


@torch.no_grad()
def held_out(model: SliceGAN, edge: int, count: int) -> list[Labels]:
    """Volumes of latent fields that no training saw, each with that of its negative: means over pairs scatter less."""
    network, rng = model.info.network, torch.Generator().manual_seed(FIRST_SEED)
    cells = (network.geometry.cells(edge),) * 3
    fields = in_pairs(torch.randn((-(-count // 2), network.latent_channels, *cells), generator=rng))
    generator, part = model.generator.eval(), (slice(edge),) * 3
    made = (generator(field[None].to(generator.offsets.device))[0].argmax(dim=0) for field in fields[:count])
    return [volume[part].cpu().numpy().astype(np.uint8) for volume in made]


def untrained(judge: Judge, wanted: Sequence[Record]) -> Iterator[Record]:
    """Judge independent voxels of the truth's fractions, or one half of the truth by the other."""
    for record in wanted:
        if record["preset"] == TRUTH:
            known, other = np.array_split(judge.truth, 2, axis=1)
            yield record | judge.judge([other], judge.measured([known]))
        else:
            yield record | judge.judge(noise(judge.material, judge.truth, record["volumes"], FIRST_SEED))


def results_wanted(options: argparse.Namespace) -> Iterator[list[Record]]:
    """What is to be found out, without the numbers: for each training a result for each time."""
    same = {name: getattr(options, name) for name in ("material", "preset", "volumes", "diffusivity")}
    same |= {"cores": os.cpu_count(), "torch": torch.__version__, "date": datetime.now(UTC).isoformat("T", "minutes")}
    if options.preset in (RANDOM, TRUTH):
        yield [same | {"seed": 0, "at": 0.0}]
        return
    same |= {"overrides": dict(map(parse_assignment, options.set))}
    end = {"updates": options.iterations} if options.iterations else {"minutes": max(options.minutes, *options.at)}
    times = [{}] if options.iterations else [{"at": at} for at in options.at]
    same |= {"start_from": options.start_from} if options.start_from else {}
    same |= {"threads": torch.get_num_threads(), "device": str(choose_device(options.device))}
    for seed in options.seeds:
        one = same | end | {"seed": seed}
        yield [one | {"recipe": digest(one)} | at for at in times]


def identity(record: Record) -> str:
    """What makes a result another one than the next."""
    return json.dumps({name: record.get(name) for name in _IDENTITY}, sort_keys=True)


def run(options: argparse.Namespace) -> None:
    """Find out what is not known yet, append it to the results, and print all of the material."""
    torch.set_num_threads(options.threads or torch.get_num_threads())
    known = {identity(record) for record in read(options.results)}
    trainings = [[one for one in wanted if identity(one) not in known] for wanted in results_wanted(options)]
    print(f"{sum(map(len, trainings))} results are not known yet", file=sys.stderr)
    if any(trainings):
        judge = Judge(MATERIALS[options.material], options.data, options.diffusivity)
        is_trained = options.preset not in (RANDOM, TRUTH)
        find_out = partial(trained, folder=options.models) if is_trained else untrained
        for folder in filter(None, (options.results.parent, options.models)):
            folder.mkdir(parents=True, exist_ok=True)
        for found in (found for wanted in filter(None, trainings) for found in find_out(judge, wanted)):
            with options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
    table([options.material], options.results, options.rows)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    runs, tables = commands.add_parser("run"), commands.add_parser("table")
    runs.add_argument("material", choices=MATERIALS)
    runs.add_argument("--data", type=Path)
    runs.add_argument("--minutes", type=float, default=15.0)
    runs.add_argument("--preset", choices=(*PRESETS, RANDOM, TRUTH), default="quick")
    runs.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    runs.add_argument("--start-from", metavar="MODEL", help="begin with its weights, for example sample:cathode")
    runs.add_argument("--at", type=float, nargs="+", default=[5.0, 15.0])
    runs.add_argument("--iterations", type=int, metavar="N")
    runs.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    runs.add_argument("--threads", type=int)
    runs.add_argument("--device", default="auto")
    runs.add_argument("--models", type=Path, metavar="DIR", help="keep the models, to look at their volumes")
    runs.add_argument("--volumes", type=int, default=16)
    runs.add_argument("--diffusivity", action="store_true")
    tables.add_argument("material", nargs="*")
    for command in (runs, tables):
        command.add_argument("--rows", action="store_true", help="every row")
        command.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "fidelity.jsonl")
    runs.set_defaults(action=run)
    tables.set_defaults(action=lambda options: table(options.material, options.results, options.rows))
    options = parser.parse_args()
    options.action(options)


if __name__ == "__main__":
    main()
