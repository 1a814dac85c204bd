"""``python -m napari_slicegan.cli``, where the command is not on the path."""

import sys

from napari_slicegan.cli import main

if __name__ == "__main__":
    sys.exit(main())
