"""``python -m napari_slicegan``, where the command is not on the path."""

import sys

from napari_slicegan.cli import main

if __name__ == "__main__":
    sys.exit(main())
