"""The docks of napari: they stand on the core and show what it does."""
