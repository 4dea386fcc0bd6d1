"""The step from embeddings to edges: thresholds, the Voronoi LSH join, recall, epochs."""
