"""``napari-slicegan check``: advice for people and for programs."""

import json

import numpy as np

from napari_slicegan.core import synthetic
from tests.cli.conftest import blobs, write


def test_an_image_is_described_and_advised_on(command):
    outcome = command("check", synthetic.MATERIALS["cathode"].paths[0])
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == "phases; 384 x 384; 0.4 µm per pixel"
    assert lines[3].startswith("  phase 2: 10.9 ± ")
    assert "±5 % of itself: 1,0" in outcome.out
    assert outcome.out.rstrip().endswith("µm).")


def test_the_target_error_changes_what_is_needed(command):
    image = synthetic.MATERIALS["cathode"].paths[0]
    fine, coarse = (
        json.loads(command("check", image, "--target-error", error, "--json").out) for error in (0.05, 0.25)
    )
    assert fine["target_error"] == 0.05
    assert fine["needed_edge"] > 4.9 * coarse["needed_edge"]
    assert [item["topic"] for item in fine["findings"]] == ["fraction"]
    assert coarse["findings"] == []
    assert command("check", image, "--target-error", 5).code == 2


def test_json_has_the_offers_in_the_values_of_the_file(command):
    labels = np.kron(blobs((64, 80)) // 255, np.ones((2, 2), np.uint8))
    smeared = (labels.astype(np.uint16) * 1000 + 200).astype(np.uint16)
    # More than eight values, or it would be taken for phases.
    smeared[:, 1:][labels[:, 1:] != labels[:, :-1]] = 700
    smeared[::2, ::2][labels[::2, ::2] == 1] -= np.arange(np.count_nonzero(labels[::2, ::2] == 1), dtype=np.uint16) % 9
    path = write("image.tif", np.vstack([smeared, smeared + 5000]))
    outcome = command("check", path, "--json", "--crop", 0, 0, 128, 160, "--pixel-size", 2, "--unit", "nm")
    facts = json.loads(outcome.out)
    (offer,) = [item["offer"] for item in facts["findings"] if item["topic"] == "values"]
    assert offer["type"] == "snap"
    assert [round(value, -1) for (value,) in offer["values"]] == [200, 1200]
    assert (facts["kind"], facts["pixel_size"], facts["unit"]) == ("grey", 2, "nm")
    assert "needed_edge" in facts
    assert facts["needed_edge"] is None


def test_a_crop_leaves_out_what_it_leaves_out(command):
    image = np.vstack([blobs((128, 128)), np.zeros((20, 128), np.uint8)])
    path = write("image.tif", image)
    assert "data bar" in command("check", path).out
    cropped = command("check", path, "--crop", 0, 0, 128, 128)
    assert cropped.out.startswith("phases; 128 x 128;")
    assert "data bar" not in cropped.out


def test_a_shrunk_image_is_checked_as_it_is_with_larger_crops(command):
    path = write("image.tif", np.kron(blobs((64, 64)), np.ones((4, 4), np.uint8)))
    plain, shrunk = (json.loads(command("check", path, "--json", "--shrink", times).out) for times in (1, 4))
    assert shrunk["edge"] == 4 * plain["edge"]
    assert shrunk["structure"] == plain["structure"]
    refused = command("check", path, "--shrink", 0)
    assert (refused.code, "give a whole number from 1 to 16" in refused.err) == (2, True)


def test_what_cannot_be_trained_on_is_an_error(command):
    small = command("check", write("small.tif", blobs((30, 80))))
    assert small.code == 2
    assert small.err.count("\n") == 1
    assert "smaller than the 32 x 32 pixels" in small.err
    assert "single value" in command("check", write("constant.tif", np.zeros((80, 80), np.uint8))).err
    holes = np.full((80, 80), np.nan, np.float32)
    assert "NaN" in command("check", write("nan.tif", holes)).err
    assert command("check", "missing.tif").code == 2
    assert "together" in command("check", write("image.tif", blobs((80, 80))), "--unit", "um").err
