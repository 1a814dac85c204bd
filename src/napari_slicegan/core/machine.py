"""What computes: all that the last bits of a result depend on beside settings and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from napari_slicegan import __version__
from napari_slicegan.core.errors import ModelError

_LONGEST = 200  # characters of a text
_MOST = 4096  # threads or processes: a file must not be able to start any number of them
_WORDS = {
    "version": "napari-slicegan {}",
    "torch_version": "torch {}",
    "device": "the device {}",
    "processor": "the processor {}",
    "threads": "{} threads",
    "processes": "{} processes together",
}


@dataclass(frozen=True)
class Machine:
    """What computes.

    Attributes
    ----------
    version, torch_version : str
        Versions of napari-slicegan and of torch.
    device : str
        "cpu", "cuda" or "mps".
    processor : str
        Name of the processor or graphics card, and which instructions torch uses of it.
    threads : int
        Of the processor, among which torch divides sums.
    processes : int
        That compute together.
    """

    version: str
    torch_version: str
    device: str
    processor: str
    threads: int
    processes: int = 1

    @classmethod
    def here(cls, device: torch.device, processes: int = 1) -> Machine:
        """What computes now, in this process."""
        own = __version__, torch.__version__
        return cls(*own, device.type, _processor(device), torch.get_num_threads(), processes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Any) -> Machine:
        """Read what `to_dict` gave.

        Raises
        ------
        ModelError
            It is something else.
        """
        try:
            machine = cls(**fields)
        except TypeError as error:
            raise ModelError(f"What is said of the computer that made it cannot be read ({error}).") from None
        texts = (machine.version, machine.torch_version, machine.device, machine.processor)
        counts = (machine.threads, machine.processes)
        are_texts = all(isinstance(text, str) and len(text) <= _LONGEST and text.isprintable() for text in texts)
        are_counts = all(type(count) is int and 0 < count <= _MOST for count in counts)
        if not (are_texts and are_counts):
            raise ModelError("What is said of the computer that made it makes no sense.")
        return machine

    def differences(self, other: Machine) -> list[str]:
        """How another machine differs: "torch 2.13.0, now 2.14.0" for each of what differs."""
        before, now = self.to_dict(), other.to_dict()
        return [f"{_WORDS[name].format(before[name])}, now {now[name]}" for name in before if before[name] != now[name]]


def machine_in(record: Mapping[str, Any]) -> Machine | None:
    """The machine that a record tells of; None where it does, as older files do, not."""
    return Machine.from_dict(record["machine"]) if "machine" in record else None


def _processor(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))[:_LONGEST]
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()  # newer versions of torch have it
    name = " ".join(str(capabilities.get("cpu_name", "")).split())
    return ", ".join(filter(None, (name, torch.backends.cpu.get_cpu_capability())))[:_LONGEST]
