"""Forms in which other tools write images into Parquet files, and what such a form keeps beside the picture."""
