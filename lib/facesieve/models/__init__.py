"""Weights in, arrays out: TensorFlow and the face detector live here and nowhere else.

`check` is for the driver and needs no TensorFlow; `load` is for the workers, once per Python process.
"""

from facesieve.models.embedder import Embedder, check, load
from facesieve.models.mtcnn.detector import Detection, detect

__all__ = ["Detection", "Embedder", "check", "detect", "load"]
