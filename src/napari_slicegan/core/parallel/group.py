"""The processes of a training on torch's distributed engine: gloo between processors, NCCL between graphics cards.

Calls, and what one process asks of another on a processor, go through gloo. Nothing that arrives is unpickled.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from napari_slicegan.core.errors import TrainingError
from napari_slicegan.core.interruption import Flag, Interrupted
from napari_slicegan.core.parallel.peers import Call, Peers

SILENCE = timedelta(minutes=10)  # of a process that others wait for, until they give up
_REST = timedelta(days=7)  # of the first process, which may be paused


class Group(Peers):
    """Processes that have found each other: torch's process group has been made.

    Parameters
    ----------
    device : torch.device
        Where this process computes.

    Attributes
    ----------
    device : torch.device
        The same.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self._flag: Flag | None = None
        self._is_broken = False
        self._calls = dist.new_group(backend="gloo", timeout=_REST if self.rank else SILENCE)

    def __deepcopy__(self, _memo: object) -> Group:
        return self  # copies of networks belong to the same processes

    def made(self, make: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
        """What is made of inputs (B, ...), each by one of the processes, (B, ...): all of it for all of them."""
        own = make(inputs[self.own(len(inputs))])
        gathered: Tensor = _Gathered.apply(own, len(inputs), self)  # type: ignore[no-untyped-call]
        return gathered

    def add(self, *tensors: Tensor) -> None:
        """Put the sum over all processes in the place of each tensor."""
        self.check()
        together = torch.cat([tensor.detach().flatten() for tensor in tensors])
        self._sum(together)
        parts = together.split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.detach().copy_(part.view_as(tensor))

    def check(self) -> None:
        """Let all processes abandon an update together, if the first one wants it.

        Raises
        ------
        Interrupted
            It does.
        """
        if self.device.type != "cpu":
            return  # an update takes no time there, and to look would make the device wait
        wish = torch.tensor([float(self._flag is not None and self._flag.is_set())])
        self._sum(wish)
        if wish > 0:
            raise Interrupted

    @contextmanager
    def interruptible(self, flag: Flag) -> Iterator[None]:
        """While the block lasts, `check` looks at a flag."""
        self._flag = flag
        try:
            yield
        finally:
            self._flag = None

    def call(self, call: Call, state: Callable[[], dict[str, Any]] | None = None) -> None:
        """Tell the others what to do next; before, if a state is given, to take it over."""
        if state:
            self._broadcast(torch.tensor(Call.STATE))
            memory = io.BytesIO()
            torch.save(state(), memory)
            self._send(memory.getvalue())
        self._broadcast(torch.tensor(call))

    def close(self) -> None:
        """Part from the others; the first process tells them that it is over, unless one does not answer any more."""
        if self.rank == 0 and not self._is_broken:
            with suppress(TrainingError):  # whoever is gone need not be told
                self.call(Call.END)
        del self._calls  # its threads must not be there any more when Python ends
        dist.destroy_process_group()

    def hear(self) -> Call:
        """What the first process says to do next."""
        return Call(int(self._broadcast(torch.tensor(0))))

    def receive_state(self) -> dict[str, Any]:
        """The state that follows `Call.STATE`: tensors, numbers and strings."""
        state = torch.load(io.BytesIO(self._receive()), map_location="cpu", weights_only=True)
        assert isinstance(state, dict)
        return state

    def send_facts(self, facts: dict[str, Any]) -> None:
        """Tell the others numbers and strings."""
        self._send(json.dumps(facts).encode())

    def receive_facts(self) -> dict[str, Any]:
        """What `send_facts` sent; nothing if the first process has ended instead."""
        facts: dict[str, Any] = json.loads(self._receive() or "{}")
        return facts

    def _send(self, content: bytes) -> None:
        self._broadcast(torch.tensor(len(content)))
        self._broadcast(torch.frombuffer(bytearray(content), dtype=torch.uint8))

    def _receive(self) -> bytes:
        length = int(self._broadcast(torch.tensor(0)))
        content = torch.empty(length, dtype=torch.uint8)
        return self._broadcast(content).numpy().tobytes() if length else b""  # as `Call.END` reads

    def _broadcast(self, tensor: Tensor) -> Tensor:
        with self._reachable():
            dist.broadcast(tensor, 0, group=self._calls)
        return tensor

    def _sum(self, tensor: Tensor) -> None:
        with self._reachable():
            dist.all_reduce(tensor)

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Turn a connection that has broken into a sentence.

        Raises
        ------
        TrainingError
            A process has died, or does not answer.
        """
        try:
            yield
        except RuntimeError as error:
            self._is_broken = True
            raise TrainingError(
                f"One of the {self.size} processes of the training has ended, or does not answer: see what it has "
                "said. What was learnt so far is kept; go on with --resume."
            ) from error


class _Gathered(torch.autograd.Function):
    """Parts of the processes, put together; the gradients of all go back to who has made a part."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, count: int, group: Group) -> Tensor:
        ctx.group, ctx.count = group, count
        whole = own.new_zeros(count, *own.shape[1:])
        whole[group.own(count)] = own
        group.add(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        whole = gradients[0].contiguous().clone()
        ctx.group.add(whole)
        return whole[ctx.group.own(ctx.count)], None, None
