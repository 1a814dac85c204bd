"""A training in a process of its own, as a worker of napari looks after it; no torch."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import asdict, replace
from pathlib import Path

from napari_slicegan.core.apart.handover import handed_over
from napari_slicegan.core.apart.messages import Begin, Ended, GoOn
from napari_slicegan.core.apart.training import TrainingApart, TrainingElsewhere
from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ModelError
from napari_slicegan.core.model_header import read_info
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.run_config import read_config
from napari_slicegan.core.stored_images import read_images
from napari_slicegan.plugin.micrograph import middle_of
from napari_slicegan.plugin.models import StoredModel
from napari_slicegan.plugin.show import prepare_napari
from napari_slicegan.plugin.train.task import Order, Outcome, Started, Watch
from napari_slicegan.plugin.work.run_view import RunView
from napari_slicegan.plugin.work.spare import Spare
from napari_slicegan.plugin.work.worker import Control, no_defects, throttled


def train_apart(order: Order | GoOn, spare: Spare, control: Control) -> Generator[object, None, Outcome | None]:
    """Let another process train: `Started` first, then the training's events.

    Parameters
    ----------
    order : Order or GoOn
        What to train.
    spare : Spare
        Gives the process.
    control : Control
        To stop it.

    Returns
    -------
    Outcome or None
        How it ended; None when it goes on alone.

    Yields
    ------
    Started or Event
        What happens.
    """
    with no_defects("The training"), closing(control):
        prepare_napari()
        if isinstance(order, Order):
            data, network = order.inquiry.data, order.inquiry.network
            with handed_over(data) as folder:
                training = TrainingApart(spare.take(), _begin(order, folder))
                device = _begun(training, control)
            view = RunView(order.path)
        else:
            data, network = _stored(order.path)
            training = TrainingApart(spare.take(), order)
            device = _begun(training, control)
            view = RunView.from_disk(order.path)
        with closing(training):
            yield Started(device, _info(data, network), middle_of(data, network.edge), view)
            yield from throttled(training)
        return _outcome(order.path, training.result)


def watch(order: Watch, control: Control) -> Generator[object, None, Outcome | None]:
    """Watch what another process trains: `Started` first, then the training's events; returns how it ended."""
    with no_defects("The training"), closing(control):
        prepare_napari()
        training = TrainingElsewhere(order.path)
        control.attach(training)
        view, picture = RunView.from_disk(order.path), None
        try:
            data, network = _stored(order.path)
            info, picture = _info(data, network), middle_of(data, network.edge)
        except ModelError:  # a run need not hold its images
            info = read_info(order.path)
        yield Started("", info, picture, view, is_watched=True)
        yield from throttled(training)
        return _outcome(order.path, training.result)


def _begin(order: Order, folder: Path) -> Begin:
    what = order.inquiry
    return Begin(
        order.path,
        folder,
        asdict(what.network),
        asdict(what.training),
        order.preset,
        what.device,
        what.threads,
        str(order.start_from or ""),
        order.outlives,
    )


def _begun(training: TrainingApart, control: Control) -> str:
    """Wait until the training begins, on the device that is returned; end its process if it cannot."""
    control.attach(training)
    try:
        return training.begin()
    except BaseException:
        training.close()
        raise


def _stored(path: Path) -> tuple[TrainingData, NetworkConfig]:
    """Images and networks of a run."""
    config = read_config(path)
    return read_images(path, config.get("facts", {}), config["fingerprint"]), config["network"]


def _info(data: TrainingData, network: NetworkConfig) -> ModelInfo:
    return ModelInfo.of(data, replace(network, output=data.kind, image_channels=data.channels))


def _outcome(path: Path, ended: Ended | None) -> Outcome | None:
    """How a training ended, with its model as it is on the disk."""
    if ended is None:
        return None
    model = None
    if ended.iterations:
        with suppress(ModelError):
            model = StoredModel(read_info(path))
    return Outcome(ended.reason, ended.iterations, model)
