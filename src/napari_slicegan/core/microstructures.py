"""Three random materials, each defined at every point of an endless space.

A seed picks one piece of a material, and a function here cuts a box out of it. What lies at a
point depends only on the seed and on the few grains near it, never on the box: two boxes agree
where they overlap, no border is special, and a slice is a slice of any volume around it.
"""

from __future__ import annotations

import math

import numpy as np

from napari_slicegan.core.randomness import Box, noise, poisson_points, spaced_points, waves

# Lengths in voxels.
SPHERE_RADII = (8.5, 10.5)
PARTICLE_FRACTION = 0.47
BINDER_REACH = 5.5
"""Radius of the closing whose gain is the binder: it fills what a ball of this radius cannot enter."""

FIBRE_RADII = (4.6, 5.4)
FIBRE_DISTANCE = 11.0
FIBRE_SLOPE = 0.075
"""Root mean square of the slope of the fibres against z, in either direction across."""

_SMOOTHING_REACH = 3

_WAVE_LENGTHS = (170.0, 330.0)  # along the fibres
_WAVE_WIDTHS = (110.0, 260.0)
_LARGEST_SHIFT = 24

GRAIN_DISTANCE = 11.0
GREY_LEVELS = (60.0, 230.0)
BOUNDARY_DEPTH = 0.55  # part of the grey level that is lost at a boundary
BOUNDARY_WIDTH = 0.8
BLUR = 0.6  # standard deviation
NOISE = 3.0  # standard deviation in grey levels

_BLUR_REACH = 3
_GRAIN_REACH = 32


def cathode(box: Box, seed: int) -> np.ndarray:
    """Cut a battery cathode: overlapping spheres and, where they meet, binder.

    Parameters
    ----------
    box : Box
        Which part of space.
    seed : int
        Which piece of the material.

    Returns
    -------
    ndarray
        (Z, Y, X) uint8: 0 pore, 1 active material, 2 binder.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    low, high = SPHERE_RADII
    mean_volume = math.pi / 3 * (high**4 - low**4) / (high - low)
    density = -math.log(1 - PARTICLE_FRACTION) / mean_volume  # the pores are exp(-density * volume)
    reach = math.ceil(BINDER_REACH) + 2 + _SMOOTHING_REACH
    wide = box.grown(reach)
    around = wide.grown(math.ceil(high + BINDER_REACH) + 1)
    centres, marks = poisson_points(around, seed, density, marks=1)
    radii = low + (high - low) * marks[:, 0]
    # A closing is a dilation, which only makes the balls larger, and then an erosion.
    dilated = _balls(wide, centres, radii + BINDER_REACH)
    inner = tuple(slice(reach, reach + size) for size in box.shape)
    # Cut off where the end of the box begins to matter; smoothed, since voxels make it ragged.
    to_outside = np.minimum(distance_transform_edt(dilated), reach - _SMOOTHING_REACH)
    to_outside = gaussian_filter(to_outside, 1, truncate=_SMOOTHING_REACH)[inner]
    # Voxels outside begin up to one voxel behind the surface: without that each ball has a skin.
    closed = to_outside > BINDER_REACH + 1
    return np.where(_balls(box, centres, radii), 1, np.where(closed, 2, 0)).astype(np.uint8)


def fibres(box: Box, seed: int) -> np.ndarray:
    """Cut a bundle of round fibres along z that wave a little beside each other.

    Parameters
    ----------
    box : Box
        Which part of space.
    seed : int
        Which piece of the material.

    Returns
    -------
    ndarray
        (Z, Y, X) uint8: 0 matrix, 1 fibre.
    """
    low, high = FIBRE_RADII
    reach = math.ceil(high) + 1
    plane = Box(box.origin[1:], box.shape[1:])
    centres, marks = spaced_points(plane.grown(reach + _LARGEST_SHIFT), seed, FIBRE_DISTANCE, crowding=16)
    radii = low + (high - low) * marks
    heights = np.arange(box.origin[0], box.end[0])
    shifts = waves(heights, centres, seed, _WAVE_LENGTHS, _WAVE_WIDTHS, FIBRE_SLOPE)
    steps = np.arange(-reach, reach + 1)
    disc = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    volume = np.zeros(box.shape, np.uint8)
    for layer, shift in zip(volume, shifts, strict=True):
        middles = (centres + shift)[:, None]
        pixels = np.rint(middles).astype(int) + disc  # (fibre, pixel, 2)
        inside = np.square(pixels - middles).sum(-1) <= np.square(radii)[:, None]
        pixels = pixels[inside] - plane.origin
        y, x = pixels[np.all((pixels >= 0) & (pixels < plane.shape), axis=1)].T
        layer[y, x] = 1
    return volume


def polycrystal(box: Box, seed: int) -> np.ndarray:
    """Cut a polycrystal as a microscope shows it: grey grains, dark boundaries, a little noise.

    Parameters
    ----------
    box : Box
        Which part of space.
    seed : int
        Which piece of the material.

    Returns
    -------
    ndarray
        (Z, Y, X) uint8 grey levels.
    """
    from scipy.ndimage import gaussian_filter
    from scipy.spatial import cKDTree

    wide = box.grown(_BLUR_REACH)
    centres, marks = spaced_points(wide.grown(_GRAIN_REACH), seed, GRAIN_DISTANCE, crowding=2)
    points = np.indices(wide.shape).reshape(3, -1).T + np.array(wide.origin)
    (near, far), (own, other) = (found.T for found in cKDTree(centres).query(points, k=2, workers=2))
    apart = np.linalg.norm(centres[own] - centres[other], axis=1)
    to_boundary = (far**2 - near**2) / (2 * apart)
    shade = 1 - BOUNDARY_DEPTH * np.exp(-np.square(to_boundary / BOUNDARY_WIDTH))
    low, high = GREY_LEVELS
    grey = ((low + (high - low) * marks[own]) * shade).reshape(wide.shape)
    grey = gaussian_filter(grey, BLUR, truncate=_BLUR_REACH / BLUR)
    inner = tuple(slice(_BLUR_REACH, _BLUR_REACH + size) for size in box.shape)
    seen: np.ndarray = np.clip(np.rint(grey[inner] + NOISE * noise(box, seed)), 0, 255)
    return seen.astype(np.uint8)


def _balls(box: Box, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Mark the voxels whose centre is in a ball: (Z, Y, X) bool."""
    marked = np.zeros(box.shape, bool)
    for centre, radius in zip(centres - box.origin, radii, strict=True):
        first = np.maximum(np.ceil(centre - radius), 0).astype(int)
        last = np.minimum(np.floor(centre + radius) + 1, box.shape).astype(int)
        if np.all(first < last):
            z, y, x = (np.square(np.arange(a, b) - c) for a, b, c in zip(first, last, centre, strict=True))
            part = marked[tuple(map(slice, first, last))]
            part |= z[:, None, None] + y[:, None] + x <= radius**2
    return marked
