"""A comparison for people and for programs: a page with figures, a table, JSON, and text for a terminal."""

from napari_slicegan.core.comparison.report.files import check_report, write_report
from napari_slicegan.core.comparison.report.numbers import as_json
from napari_slicegan.core.comparison.report.text import as_text

__all__ = ["as_json", "as_text", "check_report", "write_report"]
