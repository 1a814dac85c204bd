"""What an image tells of itself before hours of training are spent on it."""
