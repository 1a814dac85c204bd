"""What the *Generate* dock asks for, as workers of napari do it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from napari_slicegan.core.choices import Precision
from napari_slicegan.core.errors import SliceGANError
from napari_slicegan.core.output.formats import format_of
from napari_slicegan.core.output.places import journal_of, part_of
from napari_slicegan.core.threads import use_threads
from napari_slicegan.core.volume.request import VolumeRequest
from napari_slicegan.plugin.preferences import preferences
from napari_slicegan.plugin.show import prepare_napari
from napari_slicegan.plugin.work.worker import Control, no_defects, reporter

if TYPE_CHECKING:
    from napari_slicegan.core.model import SliceGAN
    from napari_slicegan.core.volume.selection import Candidate


_SEED = "{seed}"


@dataclass(frozen=True)
class VolumeOrder:
    """Volumes to make.

    Attributes
    ----------
    requests : tuple of VolumeRequest
        One for each volume.
    path : Path, optional
        The file to write, "{seed}" in its name stands for the seed; by default volumes stay in memory.
    resume : bool
        Whether to go on with unfinished files, and to leave finished ones as they are.
    in_3d : bool
        Whether to show them in 3D.
    """

    requests: tuple[VolumeRequest, ...]
    path: Path | None = None
    resume: bool = False
    in_3d: bool = True

    @property
    def paths(self) -> tuple[Path, ...]:
        """A file for each volume; none when they stay in memory."""
        return () if self.path is None else paths_for(self.path, [request.seed for request in self.requests])


@dataclass(frozen=True)
class Wish:
    """What the best of several seeds is: the one whose volume has most nearly this fraction of this phase."""

    seeds: tuple[int, ...]
    phase: int
    fraction: float


@dataclass(frozen=True)
class SurfaceOrder:
    """A surface to write: of which phase of which volume, with its voxel size, into which file."""

    volume: Any
    phase: int
    voxel_size: float
    unit: str
    path: Path


def generate(
    model: SliceGAN, order: VolumeOrder, number: int, control: Control
) -> Generator[object, None, npt.NDArray[Any] | Path]:
    """Make one volume of an order; gives the finished fraction of the order, returns the volume or its file."""
    with no_defects("The generation"):
        yield number / len(order.requests)
        from napari_slicegan.core.output.reading import check_same
        from napari_slicegan.core.output.streaming import stream  # imports torch

        prepare_napari()
        use_threads(preferences().threads)
        request, progress = order.requests[number], reporter(control, number, len(order.requests))
        progress(0.0)
        if order.path is None:
            model.history(request)  # takes the digest of the weights here, where no window waits for it
            return model.generation(request).whole(progress)
        path = order.paths[number]
        if order.resume and path.exists():
            check_same(path, model.describe(request))
        else:
            stream(model, request, path, resume=order.resume, progress=progress)
        return path


def select(
    model: SliceGAN, request: VolumeRequest, wish: Wish, control: Control
) -> Generator[object, None, list[Candidate]]:
    """Rank seeds by a wanted volume fraction, the best first."""
    with no_defects("The choice among the seeds"):
        yield 0.0
        from napari_slicegan.core.volume.selection import best_of  # imports torch

        use_threads(preferences().threads)
        return best_of(model, request, wish.seeds, wish.phase, wish.fraction, reporter(control))


def measure(model: SliceGAN, precision: Precision, control: Control) -> Generator[object, None, float]:
    """Measure how many seconds a tile takes on this machine."""
    with no_defects("The calibration"):
        yield 0.0
        control.check()
        from napari_slicegan.core.volume.estimate import calibrate  # imports torch

        use_threads(preferences().threads)
        return calibrate(model, precision, reporter(control))


def export_surface(order: SurfaceOrder, control: Control) -> Generator[object, None, Path]:
    """Write the surface of a phase."""
    with no_defects("The export of the surface"):
        yield 0.0
        control.check()
        from napari_slicegan.core.volume.surface import write_surface

        progress = reporter(control)
        write_surface(order.path, order.volume, order.phase, order.voxel_size, order.unit, True, progress)
        return order.path


def load_model(path: Path, device: str, control: Control) -> Generator[object, None, SliceGAN]:
    """Load a model onto a device."""
    with no_defects("Loading the model"):
        yield 0.0
        control.check()
        from napari_slicegan.core.model import SliceGAN  # imports torch

        return SliceGAN.load(path, device)


def save_model(model: SliceGAN, path: Path, control: Control) -> Generator[object, None, Path]:
    """Write a model file."""
    with no_defects("Saving the model"):
        yield 0.0
        control.check()
        model.save(path)
        return path


def save_texts(card: dict[str, str], path: Path, control: Control) -> Generator[object, None, Path]:
    """Write what its author says of a model into its file, or into that of its run."""
    with no_defects("Saving the texts"):
        yield 0.0
        control.check()
        from napari_slicegan.core.model import save_card  # imports torch

        save_card(path, card)
        return path


def paths_for(path: Path, seeds: Sequence[int]) -> tuple[Path, ...]:
    """A file for each seed: "{seed}" in the name is replaced, and put before the ending where it is needed."""
    name = path.name
    if _SEED not in name and len(seeds) > 1:
        try:
            ending = max((end for end in format_of(path).suffixes if name.lower().endswith(end)), key=len)
        except SliceGANError:
            ending = path.suffix
        name = f"{name[: len(name) - len(ending)]}_{_SEED}{name[len(name) - len(ending) :]}"
    return tuple(path.parent / name.replace(_SEED, str(seed)) for seed in seeds)


def is_unfinished(paths: Sequence[Path]) -> bool:
    """Whether one of these files was begun and can be gone on with."""
    return any(part_of(path).exists() and journal_of(path).exists() for path in paths)
