"""Volumes made by many processes or machines."""
