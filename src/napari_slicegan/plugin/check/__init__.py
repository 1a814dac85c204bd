"""The group *Image check*."""
