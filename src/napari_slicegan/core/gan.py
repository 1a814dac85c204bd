"""The two players and their two updates: the algorithm of the paper, without loop, clock or files."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from napari_slicegan.core.adam import Adam
from napari_slicegan.core.alike import AlikeAxes, orders_of_axes
from napari_slicegan.core.averaging import measure_statistics, moving_average
from napari_slicegan.core.balance import balance, channel_means
from napari_slicegan.core.choices import Axes, Normalization
from napari_slicegan.core.config import NetworkConfig, TrainingConfig
from napari_slicegan.core.data import TrainingData
from napari_slicegan.core.losses import between
from napari_slicegan.core.networks import Discriminator, Generator, draw_weights
from napari_slicegan.core.parallel.peers import ALONE, Call, Peers
from napari_slicegan.core.passes import Losses, Passes, gradients_of
from napari_slicegan.core.sample import Sample
from napari_slicegan.core.shown import Shown
from napari_slicegan.core.tension import Floats, SurfaceTension
from napari_slicegan.core.wide import WideView

_STATISTICS_VOLUMES = 16  # with fewer, fractions change by 0.04 from one sample to another
_PLAYERS = ("generator", "average", "discriminators", "tension")


class GAN:
    """A generator of volumes and a discriminator of images for each source of real images.

    Parameters
    ----------
    data : TrainingData
        The micrographs.
    network, training : NetworkConfig, TrainingConfig
        The networks (their output follows the data) and the recipe.
    device : torch.device
        Where to compute.
    peers : Peers
        The processes that make the updates together.

    Attributes
    ----------
    is_sent : bool
        Whether the other processes know the state: it has been changed by updates alone.

    Raises
    ------
    DataError
        An image is smaller than a training crop, or the symmetry does not fit the images.
    """

    def __init__(
        self,
        data: TrainingData,
        network: NetworkConfig,
        training: TrainingConfig,
        device: torch.device,
        peers: Peers = ALONE,
    ) -> None:
        self.network = replace(network, output=data.kind, image_channels=data.channels)
        self.training, self.device, self.peers, self.is_sent = training, device, peers, False
        self._data = data
        self._means: npt.NDArray[np.float64] | None = None  # of the micrographs, when they are needed
        self.shown = Shown(data, self.network.edge, training, device, peers)
        # All that is random is drawn on the CPU from one generator, so a seed means the same on every device.
        self.rng = torch.Generator().manual_seed(training.seed)
        self.generator = Generator(self.network, self.rng).to(device)
        self.generator.set_up_training(training.normalization is Normalization.RUNNING, peers)
        self.alike = AlikeAxes(orders_of_axes(data, self.shown.crops.symmetry)) if training.axes is Axes.ALIKE else None
        if self.alike:
            self.alike.begin(self.generator)
        has_bias = self.shown.lens is not None
        self.discriminators = [Discriminator(self.network, self.rng, has_bias).to(device) for _ in data.sources]
        self.wide = self._wide_view(data) if training.wide_share else None
        self.tension = SurfaceTension(len(data.phases), training.surface_tension)
        self.passes = Passes(self.network, device, training.precision, peers)
        self.optimizers = self._adams()
        self.average = self._averaged() if training.average else None

    @property
    def critics(self) -> list[Discriminator]:
        """All discriminators: one for each source, and those of wide slices."""
        return [*self.discriminators, *(self.wide.discriminators if self.wide else [])]

    def update(self, call: Call) -> Losses:
        """The update that is called for; returns scalar losses."""
        return self.update_discriminators() if call is Call.DISCRIMINATORS else self.update_generator()

    def update_discriminators(self) -> Losses:
        """One step of every discriminator on slices of m_D volumes and on real crops; returns scalar losses."""
        with torch.no_grad():
            volumes = self.volumes(self.training.discriminator_volumes)  # (m_D, C, Z, Y, X)
        total: Losses = {}
        for source, critic in enumerate(self.discriminators):
            fake = self.shown.slices(volumes, source, self.rng)  # (M, C, H, W)
            real = self.shown.real(source, self.shown.axes(source) * self.training.real_crops, self.rng)  # (N, C, H, W)
            some = torch.randint(len(fake), (len(real),), generator=self.rng).to(self.device)  # (N,)
            mixed = between(real, fake[some], self.rng)  # (N, C, H, W)
            self.optimizers[1 + source].zero_grad()
            losses = self.passes.learn(critic, real, fake, mixed, self.training.penalty_weight)
            for name, value in losses.items():
                total[name] = total.get(name, 0) + value / len(self.discriminators)
        learnt = self.optimizers[1 : 1 + len(self.discriminators)]
        if self.wide and self.wide.is_due(self.rng):
            source, real, fake = self.wide.images(self.generator, self.rng)
            learnt.append(self.optimizers[1 + len(self.discriminators) + source])
            learnt[-1].zero_grad()
            mixed = between(real, fake, self.rng)
            self.passes.learn(self.wide.discriminators[source], real, fake, mixed, self.training.penalty_weight)
        for optimizer in learnt:  # all or none: an update may be interrupted before this line only
            optimizer.step()
        return total

    def update_generator(self) -> Losses:
        """One step of the generator on slices of m_G volumes; returns its scalar loss."""
        volumes = self.volumes(self.training.generator_volumes)  # (m_G, C, Z, Y, X)
        views = [
            (critic, self.shown.slices(volumes, source, self.rng), self.shown.axes(source) / 3)
            for source, critic in enumerate(self.discriminators)
        ]
        if self.wide:
            source, slices = self.wide.slices(self.generator, self.rng)
            views.append((self.wide.discriminators[source], slices, 1.0))
        judged = [self.passes.judge(*view) for view in views]
        losses = [loss for loss, _ in judged]
        # of these the gradients are those judged; given the gradients themselves, torch imports sympy, for 0.3 s
        slopes = [(slices * gradient).sum() for (_, slices, _), (_, gradient) in zip(views, judged, strict=True)]
        if self.training.evaluation_iterations and self.tension.weights.any():
            losses.append(self.tension.loss(volumes) / self.peers.size)  # each of them finds all of it
            slopes.append(losses[-1])
        self.optimizers[0].zero_grad()
        torch.stack(slopes).sum().backward()  # through the generator, once
        loss = torch.stack(losses).sum().detach()
        self.peers.add(loss, *gradients_of(self.generator))
        self._step_generator()
        return {"generator_loss": loss}

    def snapshot(self, balanced: bool = True) -> Generator:
        """A copy of the generator that makes the volumes: the moving average where there is one, balanced if asked."""
        taken = self.copy_with((self.average.module if self.average else self.generator).state_dict())
        if self.average:
            measure_statistics(taken, Sample(self.network, _STATISTICS_VOLUMES).latents.to(self.device).split(1))
        if balanced and self.training.balance_volumes:
            self._means = channel_means(self._data) if self._means is None else self._means
            sample = Sample(self.network, self.training.balance_volumes)
            balance(taken, sample.outputs(taken.eval()), self._means)
        return taken

    def copy_with(self, weights: dict[str, Tensor]) -> Generator:
        """A generator of the same networks with a copy of some weights."""
        with torch.device("meta"):
            made = Generator(self.network)
        kept = {name: weight.to(self.device, copy=True) for name, weight in weights.items()}
        made.load_state_dict(kept, assign=True)
        return made

    @torch.no_grad()
    def begin_with(self, generator: Generator) -> None:
        """Take over the weights of another generator, before the first update."""
        for own in (self.generator, *([self.average.module] if self.average else [])):
            own.load_state_dict(generator.state_dict())
            own.get_buffer("offsets").zero_()  # they belong to the other micrograph
        self.is_sent = False
        self._look_at_axes()

    def players_state(self) -> dict[str, Any]:
        """A copy of the weights of all players, for `begin_again`."""
        return copy.deepcopy({name: state for name, state in self.state_dict().items() if name in _PLAYERS})

    def adjust_tension(self, excess: Floats, wanted: Floats, iterations: int) -> None:
        """Change the weights of the surface tension, see `SurfaceTension.adjust`."""
        self.tension.adjust(excess, wanted, iterations)
        self.is_sent = self.is_sent and not self.training.surface_tension

    def begin_again(self, players: dict[str, Any], learning_rate: float) -> None:
        """Go back to weights that `players_state` gave, or, without any, to new ones, with another rate.

        What the optimizers remember is forgotten.
        """
        self.is_sent = False
        if players:
            self._load_players(players)
        else:
            for player in (self.generator, *self.critics):
                draw_weights(player, self.rng)
            for norm in self.generator.norms:
                assert isinstance(norm, torch.nn.BatchNorm3d)
                norm.reset_parameters()
            if self.alike:
                self.alike.begin(self.generator)
            if self.average:
                self.average = self._averaged()
        self.optimizers = self._adams()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate

    @property
    def is_finite(self) -> bool:
        """Whether no weight of any player is NaN or infinite."""
        weights = (weight for player in (self.generator, *self.critics) for weight in player.parameters())
        return all(bool(weight.isfinite().all()) for weight in weights)

    def volatile_state(self) -> tuple[Tensor, dict[str, Tensor]]:
        """What an update changes before its last lines: the random numbers, and the running statistics."""
        return self.rng.get_state(), {name: buffer.clone() for name, buffer in self.generator.named_buffers()}

    def restore_volatile_state(self, state: tuple[Tensor, dict[str, Tensor]]) -> None:
        """Go back to where an abandoned update began."""
        rng, buffers = state
        self.rng.set_state(rng)
        self.generator.load_state_dict(buffers, strict=False)

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on bit for bit: tensors, numbers and strings."""
        return {
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict() if self.average else {},
            "discriminators": [critic.state_dict() for critic in self.critics],
            "sources": len(self.discriminators),
            "tension": self.tension.weights,
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "rng": self.rng.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self._load_players(state)
        for optimizer, moments in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(moments)
        self.rng.set_state(state["rng"])

    def _load_players(self, state: dict[str, Any]) -> None:
        self.is_sent = False
        self.generator.load_state_dict(state["generator"])
        if self.average:
            self.average.load_state_dict(state["average"])
        for critic, weights in zip(self.critics, state["discriminators"], strict=True):
            critic.load_state_dict(weights)
        self.tension.load(state["tension"])
        self._look_at_axes()

    def _look_at_axes(self) -> None:
        """Kernels of a training that began with a model whose axes differ are left free."""
        if self.alike and not self.alike.hold_for(self.generator):
            self.alike = None

    def volumes(self, count: int) -> Tensor:
        """Training cubes (count, C, Z, Y, X) to show slices of."""
        return self.shown.volumes(self.generator, self._latent(count, self.rng))

    def _latent(self, count: int, rng: torch.Generator) -> Tensor:
        """Standard normal cells (count, latent_channels, n, n, n) of training cubes."""
        shape = (count, self.network.latent_channels, *(self.network.geometry.latent_edge,) * 3)
        return torch.randn(shape, generator=rng).to(self.device)

    def _wide_view(self, data: TrainingData) -> WideView | None:
        fits = WideView.fits(data, self.network)
        return WideView(data, self.network, self.training, self.rng, self.device, self.peers) if fits else None

    def _adams(self) -> list[Adam]:
        """One for the generator and one for each of the critics."""
        rates = self.training.learning_rate, (self.training.beta1, self.training.beta2)
        is_fused = self.device.type in ("cpu", "cuda")  # one pass over the weights instead of a dozen
        return [Adam(player.parameters(), *rates, fused=is_fused) for player in (self.generator, *self.critics)]

    def _averaged(self) -> AveragedModel:
        return moving_average(self.generator, self.training.average, self.training.average_part)

    def _step_generator(self) -> None:
        if self.alike:
            self.alike.share(self.generator)
        self.optimizers[0].step()
        if self.average:
            self.average.update_parameters(self.generator)
