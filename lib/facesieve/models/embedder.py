"""From a model profile to a function that turns crops into unit vectors.

The file is read once, its SHA-256 is compared with the profile's, and what was digested is what is parsed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import numpy.typing as npt

from facesieve.errors import ConfigError, Fault, ModelError
from facesieve.kernels import pixels
from facesieve.kernels.vectors import unit
from facesieve.models import keras_h5, tflite
from facesieve.models.network import Floats, Infer
from facesieve.profiles import Profile

_NORMALISE: dict[str, Callable[[Floats], Floats]] = {
    "prewhiten": pixels.prewhiten,
    "fixed": pixels.fixed,
    "none": lambda crops: crops,
}
_SIGNATURES = {"keras_h5": (0, b"\x89HDF\r\n\x1a\n"), "tflite": (4, b"TFL3")}
_KEPT_MODELS = 2


@dataclass(frozen=True)
class Embedder:
    """An embedding model that is loaded and ready."""

    profile: Profile
    infer: Infer

    def embed(self, crops: Floats) -> npt.NDArray[np.float32]:
        """Turn crops into unit vectors.

        float32 [N, H, W, 3], RGB 0..255, already of the model's input size -> float32 [N, D] of unit length.
        Raises ModelError if the model returns another shape, a number that is not finite, or a zero vector.
        """
        vectors = self.infer(_NORMALISE[self.profile.normalisation](crops))
        expected = (len(crops), self.profile.dimension)
        if vectors.shape != expected:
            raise ModelError(f"{self.profile.name}: the model returned {vectors.shape}, expected {expected}.")
        if not (np.isfinite(vectors).all() and vectors.any(axis=1).all()):
            raise ModelError(f"{self.profile.name}: the model returned vectors that are zero or not finite.")
        return unit(vectors).astype(np.float32)


@lru_cache(maxsize=_KEPT_MODELS)
def load(profile: Profile) -> Embedder:
    """Load a model, once per process: `load.cache_info().misses` counts the loads.

    Raises ModelError if the file is missing, altered, or not what the profile says.
    """
    content = _content(profile)
    form = {"keras_h5": keras_h5.load, "tflite": tflite.load}[profile.form]
    return Embedder(profile, form(content, profile))


def check(profile: Profile) -> None:
    """Make sure, without TensorFlow, that a model can be used. For the driver.

    Raises ConfigError naming key and fix, or ModelError if the file holds what is not accepted.
    """
    if profile.margin is not None and profile.margin.kind == "five_point":
        raise ConfigError([Fault(f"{profile.name}: margin.kind", "'five_point' is not built yet", "Use box.")])
    try:
        content = _content(profile)
    except ModelError as problem:
        fix = "Correct file and sha256 in the profile, or fetch the model again."
        raise ConfigError([Fault(f"{profile.name}: file", str(problem), fix)]) from None
    if profile.form == "keras_h5":
        keras_h5.read(content, profile)


def _content(profile: Profile) -> bytes:
    """Read a model's file, if it is the one that the profile means."""
    path = _local(profile.file)
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise ModelError(f"{path} cannot be read ({problem.strerror})") from None
    found = hashlib.sha256(content).hexdigest()
    if found != profile.sha256:
        raise ModelError(f"{path} has SHA-256 {found}, the profile says {profile.sha256}")
    offset, signature = _SIGNATURES[profile.form]
    if content[offset : offset + len(signature)] != signature:
        raise ModelError(f"{path} is not of the form {profile.form}")
    return content


def _local(file: str) -> Path:
    parts = urlsplit(file)
    if len(parts.scheme) > 1 and parts.scheme != "file":
        raise ModelError(f"{file} is not on this machine: models are read from a path that every worker has")
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(file)
