"""Chunks of images, or of vectors without images: what workers make of one, and what came back from them."""
