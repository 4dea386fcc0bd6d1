"""Arrays in, arrays out: Voronoi cells, block pairs, thresholds, recall."""
