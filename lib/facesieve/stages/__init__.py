"""One module per table: DataFrames and configuration in, a DataFrame out. No paths, no reads, no writes."""
