"""The dock *Compare volumes*."""
