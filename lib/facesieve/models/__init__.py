"""Weights in, arrays out: TensorFlow and the face detector live here and nowhere else."""
