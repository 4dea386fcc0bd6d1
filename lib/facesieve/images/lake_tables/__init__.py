"""Tables of Spark's catalogs as a source of images."""
