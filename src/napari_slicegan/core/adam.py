"""Adam as torch has it, without what the classes of torch.optim bring.

These import torch's compiler when the first of them is made, which is never used here: that takes a second, as long as
torch itself, and 70 MB.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam

_EPS = 1e-8


class Adam:
    """Makes the same steps as `torch.optim.Adam`, bit for bit, and keeps its state in the same form.

    Parameters
    ----------
    parameters : iterable of Tensor
        What learns.
    learning_rate : float
        Length of a step.
    betas : (float, float)
        How much is remembered of gradients and of their squares.
    fused : bool
        Whether to make a step in one pass over the weights, where the device can.

    Attributes
    ----------
    param_groups : list of dict
        One, with "params", "lr" and "betas".
    """

    def __init__(
        self, parameters: Iterable[Tensor], learning_rate: float, betas: tuple[float, float], *, fused: bool = False
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": list(parameters), "lr": learning_rate, "betas": betas}]
        self._state: dict[int, dict[str, Tensor]] = {}  # of those that have learnt, by their places in the list
        self._is_fused = fused

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take a step with each parameter that has a gradient."""
        group = self.param_groups[0]
        learning = {place: each for place, each in enumerate(group["params"]) if each.grad is not None}
        for place, parameter in learning.items():
            if place not in self._state:
                self._state[place] = {
                    "step": torch.zeros((), device=self._counting(parameter)),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }
        states = [self._state[place] for place in learning]
        beta1, beta2 = group["betas"]
        adam(
            list(learning.values()),
            [parameter.grad for parameter in learning.values()],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=self._is_fused,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=group["lr"],
            weight_decay=0.0,
            eps=_EPS,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """The memory of each parameter, and the settings."""
        group = self.param_groups[0]
        return {"state": self._state, "param_groups": [group | {"params": list(range(len(group["params"])))}]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave, or that of `torch.optim.Adam`."""
        (saved,), (group,) = state["param_groups"], self.param_groups
        self._state = {}
        group["lr"], group["betas"] = saved["lr"], tuple(saved["betas"])
        for place, each in state["state"].items():
            parameter = group["params"][place]
            moments = {name: value.to(parameter) for name, value in each.items() if name != "step"}
            self._state[place] = {"step": each["step"].to(self._counting(parameter)), **moments}

    def _counting(self, parameter: Tensor) -> torch.device:
        """Where the steps of a parameter are counted."""
        return parameter.device if self._is_fused else torch.device("cpu")
