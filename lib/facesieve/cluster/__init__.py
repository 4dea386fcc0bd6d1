"""The step from edges to clusters: edge weights, Chinese Whispers, constraints, attachment, lasting ids."""
