"""Training in a process of its own: what is said between it and whoever looks after it, and both ends."""
