import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facesieve import models, profiles
from facesieve.errors import ConfigError, ModelError
from facesieve.kernels import pixels
from facesieve.models import Embedder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mobilefacenet(data):
    return profiles.load("mobilefacenet", str(ROOT / "conf" / "models"))


def lfw_crops(data, profile, stored, count):
    chosen = np.linspace(0, len(stored["paths"]) - 1, count).astype(int)
    crop = profile.crop
    box = (crop.centre_x - crop.side / 2, crop.centre_y - crop.side / 2, crop.side, crop.side)
    files = [data / "lfw" / "images" / str(stored["paths"][index]) for index in chosen]
    images = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return np.stack([pixels.resample(image, box, profile.input) for image in images]), stored["embeddings"][chosen]


@pytest.mark.parametrize(("name", "file"), [("facenet", "facenet_embeddings"), ("mobilefacenet", "embeddings")])
def test_stored_embeddings_are_reproduced(data, facenet_weights, name, file):
    profile = profiles.load(name, str(ROOT / "conf" / "models"))
    crops, expected = lfw_crops(data, profile, np.load(data / "lfw" / f"{file}.npz"), 20)
    vectors = models.load(profile).embed(crops)
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    cosines = (vectors * expected).sum(axis=1)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.median(cosines) > 0.9995
    assert cosines.min() > 0.999


def test_batch_size_does_not_matter(data, mobilefacenet):
    crops = np.random.default_rng(0).uniform(0, 255, (5, 112, 112, 3)).astype(np.float32)
    embedder = models.load(mobilefacenet)
    one_by_one = np.concatenate([embedder.embed(crop[None]) for crop in crops])
    np.testing.assert_allclose(embedder.embed(crops), one_by_one, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": "nowhere.tflite"}, "cannot be read"),
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"form": "keras_h5"}, "not of the form keras_h5"),
        ({"file": "s3://bucket/model.tflite"}, "not on this machine"),
        ({"margin": profiles.Margin("five_point")}, "not built yet"),
    ],
)
def test_check_names_key_and_fix(mobilefacenet, change, said):
    with pytest.raises(ConfigError, match=said) as caught:
        models.check(dataclasses.replace(mobilefacenet, **change))
    assert caught.value.faults[0].key.startswith("mobilefacenet: ")
    assert caught.value.faults[0].fix


@pytest.mark.parametrize("change", [{"output": "no_such"}, {"dimension": 64}, {"input": (96, 96)}])
def test_tflite_must_be_what_the_profile_says(mobilefacenet, change):
    with pytest.raises(ModelError, match="mobilefacenet"):
        models.load(dataclasses.replace(mobilefacenet, **change))


@pytest.mark.parametrize("vector", [[np.nan, 1.0], [0.0, 0.0], [1.0, 2.0, 3.0]])
def test_a_vector_that_is_none_is_an_error(vector):
    profile = profiles.Profile(
        file="", sha256="0" * 64, form="tflite", input=(8, 8), normalisation="none", dimension=2, name="broken"
    )
    embedder = Embedder(profile, lambda batch: np.array([vector], dtype=np.float32))
    with pytest.raises(ModelError, match="broken"):
        embedder.embed(np.zeros((1, 8, 8, 3), dtype=np.float32))


def test_importing_the_models_does_not_load_tensorflow():
    code = "import sys, facesieve.models, facesieve.stages.embeddings; sys.exit('tensorflow' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "lib")}, check=False).returncode == 0
    )
