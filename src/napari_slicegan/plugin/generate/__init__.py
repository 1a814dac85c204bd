"""The dock *Generate volume*."""
