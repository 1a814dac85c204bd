"""Volumes from a trained generator: boxes and planes of an endless one, what they cost, and their surfaces."""
