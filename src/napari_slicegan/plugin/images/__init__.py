"""Choosing images: the rows and groups that say what to train on."""
