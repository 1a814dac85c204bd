"""A run: a directory with everything about one training, readable by other programs while it goes on.

============================  =====================================================================
``config.json``               networks, recipe, preset and what the training images are
``images.safetensors``        the training images, up to 512 MiB
``status.json``               how it stands: state, iteration, time left, newest evaluation
``log.jsonl``                 one JSON object for each report, evaluation, checkpoint, pause and end
``checkpoint.pt``             to resume from; also a loadable model
``model.safetensors``         the model, to use and to share
``previews/ITERATION.tif``    preview volumes
``run.lock``                  held by the process that trains
============================  =====================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_slicegan.core.checkpoint import read_checkpoint
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.errors import ConfigError, ModelError, TrainingError, brief
from napari_slicegan.core.events import Event
from napari_slicegan.core.files import CHECKPOINT, LOG, is_own_file
from napari_slicegan.core.model_info import ModelInfo
from napari_slicegan.core.parallel.peers import ALONE, Peers
from napari_slicegan.core.recording import Recorder
from napari_slicegan.core.run_config import damaged, read_config, write_config
from napari_slicegan.core.runs.log import entry_of
from napari_slicegan.core.stored_images import facts_of, read_images
from napari_slicegan.core.training import Trainer


@dataclass(frozen=True)
class Run:
    """The directory of one training; use `create` or `open`.

    Attributes
    ----------
    path : Path
        The directory.
    network, training : NetworkConfig, TrainingConfig
        As the run was started.
    preset : str
        Name of the preset that the settings were derived from.
    images : tuple of str
        Names of the training images.
    fingerprint : str
        Digest of the training images.
    started_from : str
        The model or checkpoint whose weights the run began with; empty when it began with random ones.
    facts : dict
        What the stored training images are.
    """

    path: Path
    network: NetworkConfig
    training: TrainingConfig
    preset: str
    images: tuple[str, ...]
    fingerprint: str
    started_from: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        path: str | Path,
        data: TrainingData,
        network: NetworkConfig,
        training: TrainingConfig,
        preset: str,
        start_from: str | Path | None = None,
    ) -> Run:
        """Make the directory of a new run, with a copy of the images unless they take more than 512 MiB.

        Raises
        ------
        OutputError
            Something is there already, or the directory cannot be made.
        """
        started_from = str(Path(start_from).absolute()) if start_from else ""
        facts = json.loads(json.dumps(facts_of(data)))
        run = cls(Path(path), network, training, preset, data.names, data.fingerprint, started_from, facts)
        write_config(run.path, data, {key: value for key, value in asdict(run).items() if key != "path"})
        return run

    @classmethod
    def start(
        cls,
        path: str | Path,
        data: TrainingData,
        network: NetworkConfig,
        training: TrainingConfig,
        preset: str,
        device: str = "auto",
        start_from: str | Path | None = None,
        peers: Peers = ALONE,
    ) -> tuple[Run, Trainer]:
        """Make a new run and its trainer; the directory is made when all else is known to work.

        Parameters
        ----------
        path : path
            The directory, new or empty.
        data : TrainingData
            The images.
        network, training : NetworkConfig, TrainingConfig
            The settings.
        preset : str
            Name of the preset that they were derived from.
        device : str
            "auto", "cpu", "cuda" or "mps".
        start_from : path, optional
            A model, a checkpoint or a run of the same networks, whose weights to begin with.
        peers : Peers
            The processes that train together.

        Returns
        -------
        tuple of Run and Trainer
            Ready for `record`.

        Raises
        ------
        SliceGANError
            The images, the settings, the device, the directory or what to start from do not allow it.
        """
        trainer = Trainer(data, network, training, device, Path(path) / CHECKPOINT, start_from, peers)
        run = cls.create(path, data, trainer.gan.network, training, preset, trainer.past.started_from)
        if run.started_from:  # so that a run that is taken up again need not look for them where its settings say
            trainer.notes["preset"] = preset
            trainer.keep()
        return run, trainer

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Read the directory of a run.

        Raises
        ------
        ModelError
            The directory holds no run, or one that cannot be read.
        """
        path = Path(path)
        fields = read_config(path)
        try:
            return cls(path, **fields)
        except TypeError as error:
            raise damaged(path, error) from error

    @property
    def has_checkpoint(self) -> bool:
        """Whether the run can be resumed."""
        return is_own_file(self.path / CHECKPOINT)

    def data(self) -> TrainingData:
        """The training images, from the run's directory.

        Raises
        ------
        ModelError
            They are not there (more than 512 MiB of images are not stored, nor did older versions store any), or
            damaged.
        """
        data = read_images(self.path, self.facts, self.fingerprint)
        network = replace(self.network, output=data.kind, image_channels=data.channels)
        ModelInfo.from_json(ModelInfo.of(data, network).to_json())  # checks what the digest does not cover
        return data

    def info(self) -> ModelInfo | None:
        """What the last checkpoint knows of its model; None before there is one.

        Raises
        ------
        ModelError
            The checkpoint is damaged.
        """
        if not self.has_checkpoint:
            return None
        return ModelInfo.from_json(str(read_checkpoint(self.path / CHECKPOINT).get("info")))

    def recipe(self, **end: Any) -> TrainingConfig:
        """The recipe of the last checkpoint, else of the start, with another end where one is given.

        Parameters
        ----------
        **end
            New `iterations` and `minutes`, counted from the start of the run.

        Returns
        -------
        TrainingConfig
            For `trainer`.

        Raises
        ------
        ModelError
            The checkpoint is damaged.
        """
        info = self.info()
        last = info.provenance.get("training") if info else None
        try:
            recipe = TrainingConfig(**last) if last else self.training
        except (TypeError, ConfigError) as error:
            raise ModelError(f"{self.path / CHECKPOINT} is damaged: it cannot be resumed ({brief(error)}).") from error
        return replace(recipe, **end)

    def further(self, minutes: float = 0, iterations: int = 0) -> TrainingConfig:
        """The recipe of the last checkpoint with an end that is so much further than what was made.

        Parameters
        ----------
        minutes, iterations : float, int
            How much further; without either, to the run's own end.

        Raises
        ------
        ModelError
            The checkpoint is damaged.
        """
        end: dict[str, Any] = {}
        if minutes or iterations:
            info = self.info()
            made = info.provenance if info else {}
            end["minutes"] = minutes and float(made.get("seconds", 0)) / 60 + minutes
            end["iterations"] = iterations and int(made.get("iterations", 0)) + iterations
        return self.recipe(**end)

    def trainer(
        self,
        data: TrainingData | None = None,
        training: TrainingConfig | None = None,
        device: str = "auto",
        peers: Peers = ALONE,
    ) -> Trainer:
        """Make the trainer of the run, which goes on from the checkpoint where there is one.

        Parameters
        ----------
        data : TrainingData, optional
            The images that the run was started with; by default those in its directory.
        training : TrainingConfig, optional
            A recipe with a later end; by default the one of the last checkpoint, else of the start.
        device : str
            "auto", "cpu", "cuda" or "mps".
        peers : Peers
            The processes that train together.

        Raises
        ------
        TrainingError
            The images are others than those of the run, or it began with the weights of another model and has not
            kept them: what its settings name elsewhere is never read.
        ModelError
            The checkpoint is damaged, or the directory does not hold the images.
        """
        data = self.data() if data is None else data
        if data.fingerprint != self.fingerprint:
            raise TrainingError(
                f"The run {self.path} was started with other images ({', '.join(self.images) or 'unnamed'}): give the "
                "same images to resume it, cropped and shrunk as before, or start a new run."
            )
        checkpoint = self.path / CHECKPOINT
        if self.has_checkpoint:
            return Trainer.resume(checkpoint, data, training, device, peers)
        if self.started_from:
            raise TrainingError(
                f"The run {self.path} began with the weights of {self.started_from} and ended before it could keep "
                "them: start a new run from there."
            )
        return Trainer(data, self.network, training or self.training, device, checkpoint, peers=peers)

    def record(self, trainer: Trainer) -> Iterator[Event]:
        """Iterate a trainer, and write log, status, previews and model on the way; other processes may ask for a stop.

        Raises
        ------
        TrainingError
            Another trainer has the run.
        OutputError
            The checkpoint cannot be written, since the disk is full or the directory has gone; the last one stays as
            it is. What else cannot be written is told of by `Hindered`, and the training goes on without it.
        """
        trainer.notes["preset"] = self.preset
        with Recorder(self.path, trainer) as recorder:
            for event in trainer:
                hindered = recorder.take(event)
                yield event
                if hindered:
                    yield hindered

    def log(self) -> list[dict[str, Any]]:
        """The objects of the log so far; a line that was cut off by a crash is left out."""
        file = self.path / LOG
        try:
            lines = file.read_bytes().splitlines() if is_own_file(file) else []
        except OSError:
            return []
        return [entry for line in lines if (entry := entry_of(line))]
