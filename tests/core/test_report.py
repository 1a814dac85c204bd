"""Reports: numbers as people read them, tables, JSON and CSV that programs read, and a page that needs nothing else."""

import csv
import io
import json
import math
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_slicegan.core.choices import OutputKind
from napari_slicegan.core.comparison.report import as_json, as_text, check_report, write_report
from napari_slicegan.core.comparison.report.figures import draw, panels, picture
from napari_slicegan.core.comparison.report.numbers import as_csv
from napari_slicegan.core.comparison.report.page import as_html
from napari_slicegan.core.comparison.report.words import (
    concise,
    difference,
    estimated,
    rounded,
    scattered,
    summary,
    times,
)
from napari_slicegan.core.comparison.result import Estimate, Group, Judgement, Verdict
from napari_slicegan.core.errors import OutputError
from napari_slicegan.core.figure import PALETTE
from napari_slicegan.core.words import readable
from tests.core.comparisons import HOSTILE, a_comparison, a_grey_comparison, curve, number

NAN = math.nan


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(as_html(a_comparison()))


@pytest.mark.parametrize(
    ("value", "uncertainty", "expected"),
    [
        (0.41234, 0.0183, "0.412 ± 0.018"),
        (0.0987, 0.00996, "0.099 ± 0.010"),
        (12.34, 1.6, "12.3 ± 1.6"),
        (1234.4, 56, "1234 ± 56"),
        (45678, 1234, "45700 ± 1200"),
        (-0.00004, 0.0018, "0.0000 ± 0.0018"),
        (0.0, 0.02, "0.000 ± 0.020"),
        (1.2e-6, 1.5e-7, "(1.20 ± 0.15)e-06"),
        (3.21e7, 4e5, "(3.210 ± 0.040)e+07"),
        (0.412345, NAN, "0.4123"),
        (0.5, 0.0, "0.5"),
        (NAN, 0.1, "-"),
        (math.inf, NAN, "inf"),
        (0.3, math.inf, "0.3"),
    ],
)
def test_numbers_have_as_many_digits_as_their_uncertainty_allows(value, uncertainty, expected):
    assert rounded(value, uncertainty) == expected


def test_multiples_and_units_are_short():
    found = [times(value) for value in (NAN, 0.04, 2.04, 9.96, 41.2, 1e6, math.inf)]
    assert found == ["-", "0.0", "2.0", "10", "41", ">999", ">999"]
    assert readable("1/um^2") == "1/µm²"


def test_volumes_show_their_spread_and_a_lone_one_its_uncertainty():
    assert scattered(number(0.412, 0.018, 0.036)) == "0.412 ± 0.036"
    assert scattered(number(0.412, 0.018)) == "0.412 ± 0.018"
    assert scattered(None) == "-"


def test_a_difference_has_the_combined_uncertainty_unless_it_is_of_a_curve():
    fraction, *_, correlation = a_comparison().rows[:4]
    assert difference(replace(fraction, judgement=Judgement(Verdict.AGREES, -0.01, 0.5))) == "-0.010 ± 0.020"
    assert difference(replace(fraction, judgement=Judgement(Verdict.AGREES, 0.0, 0.0))) == "0"
    assert difference(replace(fraction, judgement=Judgement(Verdict.MISSING))) == "-"
    assert difference(replace(correlation, judgement=Judgement(Verdict.DIFFERS, 0.01234, 4.0))) == "0.012"


def test_the_summary_counts_verdicts():
    text = summary(a_comparison())
    assert text.startswith("Of 17 quantities 9 agree, 4 differ, 1 cannot be told since the image is too small, 2 exist")
    assert text.endswith("differs in 14 of the 14 that tell of it.")
    assert summary(a_comparison(rows=())) == "There is nothing to compare."


def test_json_holds_everything_and_says_null_for_what_is_not_known():
    found = json.loads(json.dumps(as_json(a_comparison()), allow_nan=False))
    assert found["format"] == 1
    assert found["counts"]["differs"] == 4
    assert found["phase_names"][2] == HOSTILE
    assert found["provenance"]["settings"]["seeds"] == 4
    rows = {row["key"]: row for row in found["rows"]}
    row = rows["correlation/axis/z/1-1"]
    assert len(row["x"]) == len(row["truth"]["curve"]) == len(row["volumes"]["high"]) == 65
    assert rows["fraction/0"]["truth"] == {
        "value": 0.412,
        "uncertainty": 0.018,
        "interval": pytest.approx([0.37672, 0.44728]),
        "spread": None,
        "curve": [],
        "low": [],
        "high": [],
    }
    assert rows["diffusivity/z/0"]["truth"] is None
    assert rows["diffusivity/z/0"]["judgement"]["multiple"] is None


def test_json_takes_what_numpy_and_paths_leave_in_a_history():
    history = {"a": np.float32(0.5), "b": np.arange(2), "c": (1, math.inf), 4: Path("x"), "d": None, "e": True}
    found = as_json(a_comparison(provenance=history))["provenance"]
    assert found == {"a": 0.5, "b": [0, 1], "c": [1, None], "4": "x", "d": None, "e": True}


def test_csv_has_a_line_for_each_row():
    lines = list(csv.DictReader(io.StringIO(as_csv(a_comparison()))))
    assert [line["key"] for line in lines] == [row.key for row in a_comparison().rows]
    first, last = lines[0], lines[-1]
    assert (first["truth_value"], first["volumes_spread"], first["random_verdict"]) == ("0.412", "0.008", "differs")
    assert first["truth_spread"] == ""
    assert (last["truth_value"], last["verdict"], last["volumes_high"]) == ("", "not computed", "")
    assert 'pip install "napari-slicegan[tortuosity]"' in last["note"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_csv_holds_no_formula(start):
    row = replace(a_comparison().rows[0], name=f"{start}cmd|'/c calc'!A1")
    (line,) = csv.DictReader(io.StringIO(as_csv(a_comparison(rows=(row,)))))
    assert line["name"].startswith(f"'{start}")
    assert line["difference"].startswith("-")


@pytest.mark.parametrize(
    ("value", "uncertainty", "expected"),
    [
        (0.41234, 0.0183, "0.412(18)"),
        (12.34, 1.6, "12.3(1.6)"),
        (45678, 1234, "45700(1200)"),
        (1.2e-6, 1.5e-7, "(1.20(15))e-06"),
        (0.5, NAN, "0.5"),
    ],
)
def test_concise_numbers_have_their_uncertainty_in_brackets(value, uncertainty, expected):
    assert concise(estimated(number(value, uncertainty))) == expected


def test_text_fits_a_terminal_and_cannot_command_it():
    row = replace(a_comparison().rows[0], name="\x1b[31mred\nline " + "long " * 20 + "along z")
    text = as_text(a_comparison(rows=(row,), truth="\x1b]0;title\x07 " + "x" * 200))
    assert max(map(len, text.splitlines())) <= 100
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert "along z" in text


def test_text_tells_rows_in_their_groups():
    text = as_text(a_comparison())
    positions = [text.index(f"\n{group.value}\n") for group in (Group.FRACTIONS, Group.SURFACES, Group.TRANSPORT)]
    assert positions == sorted(positions)
    line = next(line for line in text.splitlines() if "fraction of pore" in line)
    assert " ".join(line.split()) == "Volume fraction of pore 0.412(18) 0.4020(80) 0.6 40 agrees"
    assert "(1/µm²)" in text
    assert max(map(len, text.splitlines())) <= 100


def test_text_says_once_why_rows_that_follow_each_other_are_missing():
    *_, missing = a_comparison().rows
    other = replace(missing, note="Another reason.")
    text = as_text(a_comparison(rows=(missing, missing, other)))
    assert text.count('\n    Needs taufactor: pip install "napari-slicegan[tortuosity]".\n') == 1
    assert text.index("Needs") < text.index("\n    Another reason.\n")


def test_curves_that_differ_by_their_axis_share_a_panel():
    found = panels(a_comparison())
    assert [panel.title for panel in found] == ["S2 of 0-0", "S2 of 0-1", "S2 of 1-1"]
    assert all(list(panel.rows) == ["z", "y", "x"] for panel in found)
    rows = {row.key: row for row in a_comparison().rows}
    radial = replace(rows["correlation/axis/z/1-1"], key="correlation/radial/1-1", name="S2 of pore, radial mean")
    normal = replace(radial, key="gradient/z", name="Gradient, planes normal to z")
    diagonal = replace(normal, key="diagonal/z", name="S2 of pore at 45° in planes normal to z")
    found = panels(a_comparison(rows=(radial, normal, diagonal)))
    assert [(panel.title, list(panel.rows)) for panel in found] == [
        ("S2 of pore, radial mean", [""]),
        ("Gradient", ["z"]),
        ("S2 of pore at 45°", ["z"]),
    ]


def lines_of(panel) -> int:
    """Curves in a drawing, without grid, axes, ticks and bands."""
    return len(re.findall(r'id="line2d_\d+">\s*<path d="(?:[ML] [^"]*?\n){10,}', draw(panel).decode()))


def test_a_panel_shows_truth_volumes_and_random():
    panel = panels(a_comparison())[0]
    assert lines_of(panel) == 3 + 3 + 1
    rows = dict.fromkeys("zyx", panel.rows["z"])
    assert lines_of(replace(panel, rows=rows)) == 1 + 3 + 1  # one image that stands for all axes
    rows = {axis: replace(row, truth=None, random=None) for axis, row in panel.rows.items()}
    assert lines_of(replace(panel, rows=rows)) == 3


def test_a_random_volume_far_away_does_not_flatten_the_rest():
    row = next(row for row in a_comparison().rows if row.is_curve)

    def drawn(random: Estimate | None) -> str:
        (panel,) = panels(a_comparison(rows=(replace(row, random=random),)))
        return re.findall(r"<path d=\"(?:[ML] [^\"]*?\n){10,}", draw(panel).decode())[0]

    assert drawn(curve(1000 + row.x)) == drawn(None)


def test_one_image_stands_beside_the_volume_and_several_above_it():
    several = as_html(a_comparison())
    one = as_html(a_comparison(pictures=a_comparison().pictures[2:]))
    assert (several.count('<div class="row">'), one.count('<div class="row">')) == (2, 1)


def test_pictures_have_the_colours_of_the_other_figures():
    phases = np.array([[0, 1], [2, 1]], np.uint8)
    shown = np.asarray(Image.open(io.BytesIO(picture(phases, OutputKind.PHASES))))
    np.testing.assert_array_equal(shown, np.array(PALETTE)[phases])
    shown = np.asarray(Image.open(io.BytesIO(picture(phases, OutputKind.GREY))))
    np.testing.assert_array_equal(shown, phases)


def test_the_page_needs_nothing_else_and_runs_nothing(page):
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "object", "svg", "form")]
    links = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert len(links) == 6 + 3
    assert all(link.startswith(("data:image/png;base64,", "data:image/svg+xml;base64,")) for link in links)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert page.text.count(HOSTILE) > 5


def test_the_page_shows_verdicts_curves_notes_and_history(page):
    text = " ".join(page.text.split())
    for verdict in ("✓ agrees", "✗ differs", "? image too small", "· 2D cannot tell", "· not computed"):
        assert verdict in text
    assert text.count("Needs taufactor") == 1
    assert "0.412 ± 0.018" in text
    assert "Isotropy is assumed" in text
    assert "1200" in text
    assert "64 x 48 pixels" in text
    assert "natural spread" not in text
    assert "5 µm" in text


def test_the_page_of_a_true_volume_tells_natural_spreads():
    text = " ".join(Page(as_html(a_grey_comparison())).text.split())
    assert "natural spread" in text
    assert "beside the true volume" in text
    assert "not known" in text


def test_a_page_without_pictures_curves_and_history_is_one():
    bare = a_comparison(rows=a_comparison().rows[:1], pictures=(), provenance={}, notes=())
    page = Page(as_html(bare))
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert "Curves" not in page.text


def test_names_may_hold_what_drawings_would_choke_on():
    row = next(row for row in a_comparison().rows if row.is_curve)
    row = replace(row, name="$\\frac{ 微観 along z", abscissa="$\\frac{ $", truth=number(NAN))
    assert "微観" in Page(as_html(a_comparison(rows=(row,)))).text


def test_a_report_is_three_files(tmp_path):
    path = write_report(a_comparison(), tmp_path / "report")
    assert path == tmp_path / "report" / "report.html"
    assert {entry.name for entry in path.parent.iterdir()} == {"report.html", "table.csv", "numbers.json"}
    assert json.loads((path.parent / "numbers.json").read_text(encoding="utf-8")) == as_json(a_comparison())
    assert (path.parent / "table.csv").read_text(encoding="utf-8") == as_csv(a_comparison())
    assert [entry.name for entry in tmp_path.iterdir()] == ["report"]


def test_an_empty_directory_will_do_and_a_full_one_is_refused(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    write_report(a_comparison(rows=()), tmp_path / "empty")
    with pytest.raises(OutputError, match="exists already"):
        check_report(tmp_path / "empty")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="exists already"):
        check_report(tmp_path / "file")
    with pytest.raises(OutputError, match="no folder"):
        check_report(tmp_path / "none" / "report")
    monkeypatch.chdir(tmp_path)
    assert check_report("report") == Path("report")


def test_a_report_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="Free some space"):
        write_report(a_comparison(rows=()), tmp_path / "report")
    assert not list(tmp_path.iterdir())


def test_a_report_that_was_broken_off_is_in_no_one_s_way_and_other_files_are_kept(tmp_path):
    left = tmp_path / "report.part"
    left.mkdir()
    (left / "report.html").write_text("half")
    write_report(a_comparison(rows=()), tmp_path / "report")
    assert not left.exists()
    other = tmp_path / "other.part"
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        check_report(tmp_path / "other")
    assert (other / "thesis.tex").exists()
