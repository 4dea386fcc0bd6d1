"""Arrays in, arrays out: landmarks and similarity transforms."""
