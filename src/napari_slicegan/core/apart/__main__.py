"""``python -m napari_slicegan.core.apart``: the process that trains for another one; not for people."""

from napari_slicegan.core.apart.server import serve

if __name__ == "__main__":
    serve()
