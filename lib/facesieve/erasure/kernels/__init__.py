"""Kernels of the erasure: arrays in, arrays out."""
