"""``napari-slicegan check``: advice on images before hours of training are spent on them."""

from __future__ import annotations

import argparse
import json

from napari_slicegan.cli.images import read_files, stated_size, training_data_of
from napari_slicegan.core.check.checks import check
from napari_slicegan.core.check.words import as_text
from napari_slicegan.core.presets import preset_named


def run(args: argparse.Namespace) -> int:
    """Check the images; only what cannot be trained on at all is an error."""
    files = read_files(args.image, args.crop)
    data = training_data_of(files, args.kind, args.axis, stated_size(args))
    originals = [] if data.phases else [file.array for file in files]
    found = check(data, preset_named(args.preset).network.edge, args.target_error, originals, args.shrink)
    print(json.dumps(found.to_dict(), indent=2, allow_nan=False) if args.json else as_text(found))
    return 0
