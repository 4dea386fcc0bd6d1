"""Exports whose images are numbered and stand, many together, in files of a fixed number of images."""
