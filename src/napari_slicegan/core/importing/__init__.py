"""Generators of other programs, turned into models; nothing in their files is ever executed."""
