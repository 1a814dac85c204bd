"""Build hook: links of the project, and a README for PyPI and the napari hub, from one address.

The README uses relative links, which work in a checkout and on GitHub. The package index and the
napari hub need absolute ones, so they are rewritten for the tag of the version that is built.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE = r"(?![a-z]+:|#|/)"
PICTURE = re.compile(rf"(!\[[^\]]*\]\(|<img\b[^>]*?\bsrc=\"){RELATIVE}")
LINK = re.compile(rf"(\]\(|<a\b[^>]*?\bhref=\"){RELATIVE}")


def absolute_links(text: str, repository: str, tag: str) -> str:
    """Rewrite the relative links and pictures of a Markdown text to addresses in the repository."""
    text = PICTURE.sub(rf"\g<1>{repository}/raw/{tag}/", text)
    return LINK.sub(rf"\g<1>{repository}/blob/{tag}/", text)


class LinksHook(MetadataHookInterface):
    """Fill in the fields that pyproject.toml lists as dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add ``urls`` and ``readme`` to the project's metadata."""
        repository = self.config["repository"].rstrip("/")
        tag = f"v{metadata['version']}"
        metadata["urls"] = {
            "Homepage": repository,
            "Source Code": repository,
            "Documentation": f"{repository}/blob/{tag}/docs/index.md",
            "Bug Tracker": f"{repository}/issues",
            "User Support": f"{repository}/issues",
            "Changelog": f"{repository}/blob/{tag}/CHANGELOG.md",
        }
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": absolute_links(readme, repository, tag),
        }
