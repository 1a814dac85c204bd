"""Making a model or a volume again from what it says of itself, and telling whether it is the same."""
