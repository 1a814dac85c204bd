"""Numbers that describe a material, of its images and of its volumes."""
