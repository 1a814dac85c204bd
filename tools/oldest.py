"""The oldest versions that the program says it works with, as constraints for pip: `tox -e oldest` tests them.

The bounds stand once, in pyproject.toml. The exception is torch, whose bound is not tested: constraints.txt has its
version. What only the tests and the linters need is not held back either.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
UNTESTED = {"torch"}


def oldest(project: dict[str, Any]) -> Iterator[str]:
    """Each package that people install the program with, pinned to its lower bound.

    Parameters
    ----------
    project : dict
        The table of that name in pyproject.toml; its extra "all" names the extras that people install.

    Yields
    ------
    str
        A line like "numpy==1.26".

    Raises
    ------
    ValueError
        A bound is anything but a lower one.
    """
    groups = project["optional-dependencies"]
    extras = [extra for text in groups["all"] for extra in sorted(Requirement(text).extras)]
    texts = [*project["dependencies"], *(text for extra in extras for text in groups[extra])]
    for requirement in map(Requirement, texts):
        if requirement.name not in UNTESTED:
            bounds = list(requirement.specifier)
            if [bound.operator for bound in bounds] != [">="]:
                raise ValueError(f"{requirement} is not a lower bound")
            yield f"{requirement.name}=={bounds[0].version}"


if __name__ == "__main__":
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    Path(sys.argv[1]).write_text("\n".join([*oldest(table), ""]), encoding="utf-8")
