"""Check the docstrings of all public names; which checks, says pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path

from numpydoc.hooks.validate_docstrings import run_hook

ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    sys.exit(run_hook([str(path) for path in sorted((ROOT / "src").rglob("*.py"))], config=ROOT))
