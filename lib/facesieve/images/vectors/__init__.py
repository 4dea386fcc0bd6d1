"""Vectors without images: arrays of NumPy, headerless arrays, and Parquet files with a column of vectors."""
