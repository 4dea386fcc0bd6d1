"""From a model profile to a function that turns crops into vectors, of unit length unless the profile says otherwise.

The files are read once, their SHA-256 is compared with the profile's, and what was digested is what is parsed. A model
is tried once when it is loaded, so that one that cannot be used is refused before the first image.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import numpy as np
import numpy.typing as npt

from facesieve.core.errors import ConfigError, Fault, ModelError, first_line
from facesieve.core.profiles import FORMS, Profile
from facesieve.faces import pixels
from facesieve.faces.vectors import unit
from facesieve.models import files as model_files
from facesieve.models import recognition, runtime
from facesieve.models.files import ModelFiles
from facesieve.models.network import Floats, Infer
from facesieve.models.whereabouts import files_of

_NORMALISE: dict[str, Callable[[Floats], Floats]] = {
    "prewhiten": pixels.prewhiten,
    "fixed": pixels.fixed,
    "none": lambda crops: crops,
}
_READ_ON_THE_DRIVER = ("keras_h5", "keras", "onnx")
"""Forms that are parsed without TensorFlow."""
_KEPT_MODELS = 2


@dataclass(frozen=True)
class Embedder:
    """An embedding model that is loaded and ready."""

    profile: Profile
    infer: Infer

    def embed(self, crops: Floats) -> npt.NDArray[np.float32]:
        """Turn crops into vectors.

        float32 [N, H, W, 3], RGB 0..255, already of the model's input size -> float32 [N, D], of unit length unless the
        profile says that the vectors keep the length that the model gives them.
        Raises ModelError if the model fails, returns another shape, a number that is not finite, or a zero vector.
        """
        vectors = self.raw(crops)
        expected = (len(crops), self.profile.dimension)
        if vectors.shape != expected:
            raise ModelError(f"{self.profile.name}: the model returned {vectors.shape}, expected {expected}.")
        if not (np.isfinite(vectors).all() and vectors.any(axis=1).all()):
            raise ModelError(f"{self.profile.name}: the model returned vectors that are zero or not finite.")
        return unit(vectors).astype(np.float32) if self.profile.unit_length else vectors.astype(np.float32)

    def raw(self, crops: Floats) -> Floats:
        """Turn crops into what the model gives, whatever it is. Raises ModelError if the model fails."""
        ordered = np.ascontiguousarray(crops[..., ::-1]) if self.profile.channels == "bgr" else crops
        batch = _NORMALISE[self.profile.normalisation](ordered)
        try:
            return self.infer(batch)
        except (ModelError, MemoryError):
            raise
        except Exception as problem:  # TensorFlow's errors have no common root but this one
            raise ModelError(f"{self.profile.name}: the model cannot be run ({_named(problem)})") from problem


@lru_cache(maxsize=_KEPT_MODELS)
def load(profile: Profile) -> Embedder:
    """Load a model and try it, once per process: `load.cache_info().misses` counts the loads.

    Raises ModelError if files are missing, altered, or not what the profile says.
    """
    embedder = prepared(_checked(profile), profile)
    embedder.embed(noise(profile))
    return embedder


def prepared(files: ModelFiles, profile: Profile) -> Embedder:
    """Load a model from files that were read, whatever their digest. Raises ModelError as `load` does."""
    try:
        with runtime.silenced():
            return Embedder(profile, form(profile.form).load(files, profile))
    except (ModelError, MemoryError):
        raise
    except Exception as problem:  # as in `raw`: whatever TensorFlow says of a file, it is about the file
        raise ModelError(f"{profile.name}: the model cannot be loaded ({_named(problem)})") from problem


def noise(profile: Profile) -> Floats:
    """Make one crop of noise, with which a model is tried: float32 [1, H, W, 3] of 0..255."""
    return np.random.default_rng(0).uniform(0, 255, (1, *profile.input, 3)).astype(np.float32)


def check(profile: Profile) -> None:
    """Make sure, without TensorFlow, that a model can be used. For the driver.

    Raises ConfigError naming key and fix, or ModelError if the file holds what is not accepted.
    """
    try:
        files = _checked(profile)
    except ModelError as problem:
        fix = "Correct file, form and sha256 in the profile (jobs/describe.py tells them), or fetch the model again."
        raise ConfigError([Fault(f"{profile.name}: file", str(problem), fix)]) from None
    if profile.form in _READ_ON_THE_DRIVER:
        form(profile.form).read(files, profile)


def form(name: str) -> ModuleType:
    """Return the module of one of `profiles.FORMS`: its `load(files, profile)` and `facts(files)`."""
    if name not in FORMS:
        raise ModelError(f"{name!r} is not a form of model: {', '.join(FORMS)}")
    return importlib.import_module(f"facesieve.models.formats.{name}")


def _checked(profile: Profile) -> ModelFiles:
    """Read a model's files, if they are those that the profile means, and of its form."""
    files = files_of(profile)
    digest = model_files.digest(files)
    if digest != profile.sha256:
        content = recognition.unfetched(files)
        what = f"; it {content}" if content else ""
        raise ModelError(f"{profile.file} has SHA-256 {digest}, the profile says {profile.sha256}{what}")
    form_of_content = recognition.form_of(files)
    what = f"looks like {form_of_content}" if form_of_content else recognition.mistaken(files)
    if form_of_content != profile.form and what:
        raise ModelError(f"{profile.file} is not of the form {profile.form}: it {what}")
    return files


def _named(problem: Exception) -> str:
    return f"{type(problem).__name__}: {first_line(problem)}"
