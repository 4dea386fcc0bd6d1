"""Arrays in, arrays out: the mathematics. NumPy only, no Spark, no files, no clock."""
