"""The dock *Train SliceGAN*."""
