"""What a viewer is doing, in threads, and what is known of it."""
