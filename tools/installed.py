"""What is installed, as requirements for pip-audit: `tox -e audit` asks for known weaknesses of each.

The program itself is left out, since nobody has reported on it, and so is the part of a version that says how a
package was built: torch 2.13.0+cpu has the weaknesses of torch 2.13.0.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from packaging.version import Version

OWN = "napari-slicegan"


def installed() -> list[str]:
    """Lines like "numpy==2.4.0", in the order of the names."""
    found = {package.name.lower(): Version(package.version).public for package in metadata.distributions()}
    return [f"{name}=={version}" for name, version in sorted(found.items()) if name != OWN]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("\n".join([*installed(), ""]), encoding="utf-8")
