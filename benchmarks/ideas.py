"""Ideas for a faster or better training, each as a change of the quick preset: what `screening.py` tries."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from players import (
    AfterTanh,
    Hard,
    LazyPenalty,
    Leaky,
    Oblique,
    OneUpdateForEachAxis,
    Pairs,
    Relativistic,
    Sharp,
    Shifted,
    Slowing,
    SymmetricKernels,
    TwoScales,
)

from napari_slicegan.core.config import NetworkConfig
from napari_slicegan.core.gan import GAN
from napari_slicegan.core.presets import preset_named

_LARGE = {item.name: getattr(preset_named("large").network, item.name) for item in fields(NetworkConfig)}


@dataclass(frozen=True)
class Idea:
    """One change of the recipe.

    Attributes
    ----------
    text : str
        What it is.
    training, network : dict
        Settings that differ from those of the base.
    players : type
        The GAN that makes the updates.
    only_grey : bool
        Whether it changes nothing for phases.
    """

    text: str
    training: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    players: type[GAN] = GAN
    only_grey: bool = False


BASE = "base"
ALONE = {"wide_share": 0.0, "surface_tension": 0.0}
"""Training settings of all ideas that say nothing else: each is tried without the wide slices, and without the pulls at
surfaces, which follow from evaluations that `screening.py` does not make: `fidelity.py` tells what they are worth."""

IDEAS = {
    BASE: Idea("the preset `quick` without wide slices and surface tension"),
    "wide slices": Idea("slices of twice the width as well, at half the resolution", {"wide_share": 0.5}),
    "edge 64": Idea("the networks of the preset `large`, edge 64", network=_LARGE),
    "two scales": Idea(
        "edge 64; two discriminators of edge 32, one for parts, one for the whole at half the resolution",
        network=_LARGE,
        players=TwoScales,
    ),
    "slices 2": Idea("2 slices of each volume and axis instead of 8", {"slices_per_axis": 2}),
    "all slices": Idea("all 32 slices of each volume and axis", {"slices_per_axis": 0}),
    "update for each axis": Idea("one discriminator update for each axis", players=OneUpdateForEachAxis),
    "more volumes": Idea(
        "m_D 4, m_G 4, 2 slices of each",
        {"discriminator_volumes": 4, "generator_volumes": 4, "slices_per_axis": 2},
    ),
    "2 volumes": Idea("m_D 2, 4 slices of each", {"discriminator_volumes": 2, "slices_per_axis": 4}),
    "2 volumes, 8 slices": Idea("m_D 2, 8 slices of each", {"discriminator_volumes": 2}),
    "pairs": Idea(
        "m_D 2, 4 slices of each; latent fields with their negatives",
        {"discriminator_volumes": 2, "slices_per_axis": 4},
        players=Pairs,
    ),
    "wide discriminator": Idea("twice the channels", network={"discriminator_channels": (32, 64, 128)}),
    "wide generator": Idea("twice the channels", network={"channels": (128, 128, 64)}),
    "narrow generator": Idea("64, 32 and 16 channels instead of 64, 64 and 32", network={"channels": (64, 32, 16)}),
    "resize": Idea("the last layer interpolates and convolves", network={"upsampling": "resize"}),
    "rate 1e-3": Idea("half the rate", {"learning_rate": 1e-3}),
    "rate 4e-3": Idea("twice the rate", {"learning_rate": 4e-3}),
    "wide, falling rate": Idea(
        "wide slices; rates that fall as one over the number of updates", {"wide_share": 0.5}, players=Slowing
    ),
    "wide, narrow generator": Idea(
        "wide slices; a generator of 64, 32 and 16 channels", {"wide_share": 0.5}, {"channels": (64, 32, 16)}
    ),
    "wide, wide discriminator": Idea(
        "wide slices; discriminators with twice the channels",
        {"wide_share": 0.5},
        {"discriminator_channels": (32, 64, 128)},
    ),
    "wide, narrow and wide": Idea(
        "wide slices; a generator of 64, 32 and 16 channels, discriminators with twice the channels",
        {"wide_share": 0.5},
        {"channels": (64, 32, 16), "discriminator_channels": (32, 64, 128)},
    ),
    "falling rate": Idea("rates that fall as one over the number of updates", players=Slowing),
    "free axes": Idea("kernels of the generator that know nothing of the other axes", {"axes": "free"}),
    "symmetric kernels": Idea("kernels that mirroring does not change either", players=SymmetricKernels),
    "hard voxels": Idea(
        "discriminators see the most likely phases, with the gradients of their probabilities", players=Hard
    ),
    "batch statistics": Idea("the generator normalises by each batch, as published", {"normalization": "batch"}),
    "plain contrast": Idea(
        "discriminators without biases see grey levels as they are, as published",
        {"contrast": "plain"},
        only_grey=True,
    ),
    "after the tanh": Idea(
        "discriminators with biases and a standard contrast see grey levels after the last tanh",
        players=AfterTanh,
        only_grey=True,
    ),
    "uniform crops": Idea("crops of which every place is as likely, as published", {"crops": "uniform"}),
    "beta1 0.5": Idea("with momentum", {"beta1": 0.5}),
    "beta2 0.9": Idea("as published", {"beta2": 0.9}),
    "no symmetry": Idea("crops neither turned nor mirrored, and free axes", {"symmetry": "none"}),
    "1 update": Idea("1 discriminator update for each of the generator", {"discriminator_steps": 1}),
    "5 updates": Idea("5 discriminator updates for each of the generator", {"discriminator_steps": 5}),
    "sharp start": Idea("the last layer begins ten times stronger", players=Sharp),
    "lazy penalty": Idea("the penalty in every fourth update", players=LazyPenalty),
    "shifts": Idea("differentiable augmentation by shifts", players=Shifted),
    "oblique": Idea("slices at 45 degrees as well, of nearest voxels", players=Oblique),
    "relativistic": Idea("relativistic pairs, R1 and R2", players=Relativistic),
    "leaky": Idea("leaky ReLUs in the discriminator", players=Leaky),
}
