"""The face detector MTCNN: its three networks, batched."""
