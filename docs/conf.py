"""Sphinx settings; name, version and address come from the installed package."""

from __future__ import annotations

from dataclasses import fields
from importlib import metadata

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from napari_slicegan.core.presets import PRESETS

_package = metadata.metadata("napari-slicegan")
_urls = dict(line.split(", ", 1) for line in _package.get_all("Project-URL"))

project = _package["Name"]
author = _package["Author"]
version = release = _package["Version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"{project} {version}"
html_theme_options = {"source_repository": _urls["Source Code"], "source_directory": "docs/"}


class SettingsTable(SphinxDirective):
    """A table of the settings of all presets: ``network`` or ``training``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        presets = {name: getattr(preset, self.arguments[0]) for name, preset in PRESETS.items()}
        rows = [["setting", *(f"preset {name}" for name in presets), "meaning"]]
        rows += [["---"] * len(rows[0])]
        for field in fields(next(iter(presets.values()))):
            values = [f"`{getattr(config, field.name)}`" for config in presets.values()]
            rows += [[f"`{field.name}`", *values, field.metadata["help"].replace("|", r"\|")]]
        return self.parse_text_to_nodes("\n".join(f"| {' | '.join(row)} |" for row in rows))


def setup(app: Sphinx) -> None:
    app.add_directive("settings-table", SettingsTable)
