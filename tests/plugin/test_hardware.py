"""The guess at the device, which must not import torch."""

from __future__ import annotations

import pytest

from napari_slicegan.plugin.train import hardware


@pytest.mark.parametrize(
    ("system", "machine", "build", "driver", "device"),
    [
        ("linux", "x86_64", "2.13.0+cpu", True, "cpu"),
        ("linux", "x86_64", "2.13.0", True, "cuda"),
        ("linux", "x86_64", "2.13.0", False, "cpu"),
        ("linux", "x86_64", "2.13.0+cu128", True, "cuda"),
        ("linux", "x86_64", "2.13.0+rocm6.4", False, "cuda"),
        ("win32", "AMD64", "2.13.0", True, "cpu"),
        ("win32", "AMD64", "2.13.0+cu128", True, "cuda"),
        ("darwin", "arm64", "2.13.0", False, "mps"),
        ("darwin", "x86_64", "2.13.0", False, "cpu"),
    ],
)
def test_the_likely_device(monkeypatch, system, machine, build, driver, device):
    monkeypatch.setattr(hardware.sys, "platform", system)
    monkeypatch.setattr(hardware.platform, "machine", lambda: machine)
    monkeypatch.setattr(hardware, "version", lambda _: build)
    monkeypatch.setattr(hardware.shutil, "which", lambda _: "nvidia-smi" if driver else None)
    monkeypatch.setattr(hardware.Path, "exists", lambda _: driver)
    assert hardware.likely_device() == device


def test_without_torch(monkeypatch):
    def missing(name: str) -> str:
        raise hardware.PackageNotFoundError(name)

    monkeypatch.setattr(hardware.sys, "platform", "linux")
    monkeypatch.setattr(hardware, "version", missing)
    assert hardware.likely_device() == "cpu"
