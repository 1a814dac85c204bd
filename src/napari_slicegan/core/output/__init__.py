"""Volumes to files, piece by piece, and back."""
