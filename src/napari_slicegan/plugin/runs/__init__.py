"""The dock *Runs*."""
