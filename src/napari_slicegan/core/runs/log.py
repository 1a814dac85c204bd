"""Lines of a run's log: one JSON object each, unless a crash or a foreign hand has damaged them."""

from __future__ import annotations

import json
from typing import Any


def entry_of(line: bytes) -> dict[str, Any]:
    """The object of a line; empty for one that is cut off or damaged."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
