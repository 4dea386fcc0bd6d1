from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facesieve import models
from facesieve.core import profiles
from facesieve.core.errors import ConfigError, ModelError
from facesieve.core.profiles import Profile
from facesieve.faces import pixels
from facesieve.models import Embedder, embedder
from facesieve.models.files import ModelFiles
from facesieve.models.network import Infer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mobilefacenet(data: Path) -> Profile:
    return profiles.load("mobilefacenet", str(ROOT / "conf" / "models"))


def lfw_crops(data: Path, profile: Profile, stored: Any, count: int) -> Any:
    chosen = np.linspace(0, len(stored["paths"]) - 1, count).astype(int)
    crop = profile.crop
    assert crop is not None
    box = (crop.centre_x - crop.side / 2, crop.centre_y - crop.side / 2, crop.side, crop.side)
    files = [data / "lfw" / "images" / str(stored["paths"][index]) for index in chosen]
    images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return np.stack([pixels.resample(image, box, (profile.input[0], profile.input[1])) for image in images]), stored[
        "embeddings"
    ][chosen]


@pytest.mark.parametrize(("name", "file"), [("facenet", "facenet_embeddings"), ("mobilefacenet", "embeddings")])
def test_stored_embeddings_are_reproduced(data: Path, facenet_weights: Path, name: str, file: str) -> None:
    profile = profiles.load(name, str(ROOT / "conf" / "models"))
    crops, expected = lfw_crops(data, profile, np.load(data / "lfw" / f"{file}.npz"), 20)
    vectors = models.load(profile).embed(crops)
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    cosines = (vectors * expected).sum(axis=1)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.median(cosines) > 0.9995
    assert cosines.min() > 0.999


def test_batch_size_does_not_matter(data: Path, mobilefacenet: Profile) -> None:
    crops = np.random.default_rng(0).uniform(0, 255, (5, 112, 112, 3)).astype(np.float32)
    loaded = models.load(mobilefacenet)
    one_by_one = np.concatenate([loaded.embed(crop[None]) for crop in crops])
    np.testing.assert_allclose(loaded.embed(crops), one_by_one, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": "nowhere.tflite"}, "cannot be read"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"form": "keras_h5"}, "not of the form keras_h5"),
        ({"file": "mock:///nowhere/model.tflite"}, "cannot be fetched"),
    ],
)
def test_check_names_key_and_fix(mobilefacenet: Profile, change: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        models.check(dataclasses.replace(mobilefacenet, **change))
    assert caught.value.faults[0].key.startswith("mobilefacenet: ")
    assert caught.value.faults[0].fix


@pytest.mark.parametrize("change", [{"output": "no_such"}, {"dimension": 64}, {"input": (96, 96)}])
def test_tflite_must_be_what_the_profile_says(mobilefacenet: Profile, change: Any) -> None:
    with pytest.raises(ModelError, match="mobilefacenet"):
        models.load(dataclasses.replace(mobilefacenet, **change))


@pytest.mark.parametrize("vector", [[np.nan, 1.0], [0.0, 0.0], [1.0, 2.0, 3.0]])
def test_a_vector_that_is_none_is_an_error(vector: Any) -> None:
    profile = profiles.Profile(
        file="", sha256="0" * 64, form="tflite", input=(8, 8), normalisation="none", dimension=2, name="broken"
    )
    broken = Embedder(profile, lambda batch: np.array([vector], dtype=np.float32))
    with pytest.raises(ModelError, match="broken"):
        broken.embed(np.zeros((1, 8, 8, 3), dtype=np.float32))


def embedder_of(infer: Any, dimension: int = 2) -> Embedder:
    profile = profiles.Profile(
        file="", sha256="0" * 64, form="tflite", input=(8, 8), normalisation="none", dimension=dimension, name="broken"
    )
    return Embedder(profile, infer)


def test_an_error_of_the_model_is_a_sentence() -> None:
    def fail(batch: Any) -> None:
        raise RuntimeError("Node number 5 (CONV_2D) failed to invoke.\nmore lines")

    with pytest.raises(
        ModelError, match=r"^broken: the model cannot be run \(RuntimeError: Node number 5 .* invoke\.\)$"
    ):
        embedder_of(fail).embed(np.zeros((1, 8, 8, 3), dtype=np.float32))


def test_memory_that_is_short_is_no_fault_of_the_model() -> None:
    def fail(batch: Any) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        embedder_of(fail).embed(np.zeros((1, 8, 8, 3), dtype=np.float32))


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Return a function that makes a profile whose form is loaded to a given function, and the list of loads."""
    loads: list[int] = []

    def make(infer: Infer) -> Profile:
        file = tmp_path / "it.tflite"
        file.write_bytes(b"\x1c\x00\x00\x00TFL3")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()

        def load(files: ModelFiles, profile: Profile) -> Infer:
            loads.append(1)
            return infer

        monkeypatch.setattr("facesieve.models.formats.tflite.load", load)
        return dataclasses.replace(embedder_of(infer).profile, file=str(file), sha256=digest)

    models.load.cache_clear()
    yield make, loads
    models.load.cache_clear()


def test_any_number_of_batches_loads_once(registered: Any) -> None:
    make, loads = registered
    profile = make(lambda batch: np.ones((len(batch), 2), np.float32))
    before = models.load.cache_info().misses
    for count in (3, 1, 8, 3):
        assert models.load(dataclasses.replace(profile)).embed(np.zeros((count, 8, 8, 3), np.float32)).shape == (
            count,
            2,
        )
    assert (len(loads), models.load.cache_info().misses) == (1, before + 1)


@pytest.mark.parametrize("vector", [[np.nan, 1.0], [0.0, 0.0], [1.0, 2.0, 3.0]])
def test_a_model_is_tried_when_it_is_loaded(registered: Any, vector: Any) -> None:
    profile = registered[0](lambda batch: np.array([vector], dtype=np.float32))
    with pytest.raises(ModelError, match="broken: the model returned"):
        models.load(profile)


def test_an_altered_byte_is_refused_on_driver_and_worker_before_anything_is_parsed(registered: Any) -> None:
    make, loads = registered
    profile = make(lambda batch: np.ones((len(batch), 2), np.float32))
    Path(profile.file).write_bytes(b"\x1c\x00\x00\x01TFL3")
    with pytest.raises(ConfigError, match="SHA-256"):
        models.check(profile)
    with pytest.raises(ModelError, match="SHA-256"):
        models.load(profile)
    assert loads == []


def test_each_form_has_a_module() -> None:
    for name in profiles.FORMS:
        module = embedder.form(name)
        assert callable(module.load)
        assert callable(module.facts)
    with pytest.raises(ModelError, match="not a form"):
        embedder.form("os")


def test_importing_the_models_does_not_load_tensorflow() -> None:
    code = "import sys, facesieve.models, facesieve.embed.embeddings; sys.exit('tensorflow' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "lib")}, check=False).returncode == 0
    )
