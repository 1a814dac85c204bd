"""Formats that a volume is written in as it is made, one module each."""
