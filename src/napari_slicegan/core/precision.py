"""Numbers of 16 bits: where they are faster, and how a training computes with them."""

from __future__ import annotations

import torch

from napari_slicegan.core.choices import Precision


def resolved(precision: Precision, device: torch.device) -> Precision:
    """EXACT or FAST, for AUTO by what the device computes with itself."""
    if Precision(precision) is not Precision.AUTO:
        return Precision(precision)
    native = _cpu_has_bfloat16() if device.type == "cpu" else device.type == "cuda"
    return Precision.FAST if native else Precision.EXACT


def _cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16 itself; not known, so not assumed, with older versions of torch."""
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def shortened(precision: Precision, device: torch.device) -> torch.autocast:
    """While its ``with`` block lasts, layers of a training compute in bfloat16 if the precision is FAST.

    Weights stay in float32, and so do sums over many numbers.
    """
    is_fast = resolved(precision, device) is Precision.FAST
    # Without numbers, on the device "meta", there is nothing to shorten.
    is_there = device.type != "meta"
    return torch.autocast(device.type if is_there else "cpu", torch.bfloat16, enabled=is_fast and is_there)
