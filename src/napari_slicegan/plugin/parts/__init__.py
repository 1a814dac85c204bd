"""What the docks are made of."""
