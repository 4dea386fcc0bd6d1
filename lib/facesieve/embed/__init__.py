"""The step from images to embeddings: listing, decoding, detection, FaceNet, perceptual hash."""
