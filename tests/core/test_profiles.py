"""Model profiles: strict, and an id that changes exactly when faces or vectors would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from facesieve.core import profiles
from facesieve.core.errors import ConfigError
from facesieve.core.sections import Embed

GOOD = """
file = "$MODEL_PLACE/model.tflite"
sha256 = "{digest}"
form = "tflite"
input = [112, 112]
normalisation = "none"
dimension = 128
[crop]
side = 135
centre_x = 125
centre_y = 118
"""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> profiles.Profile:
    monkeypatch.setenv("MODEL_PLACE", "/models")
    (tmp_path / "small.toml").write_text(GOOD.format(digest="0" * 64))
    return profiles.load("small", str(tmp_path))


def test_variables_are_expanded_and_the_name_is_the_file(profile: profiles.Profile) -> None:
    assert (profile.file, profile.name) == ("/models/model.tflite", "small")


def test_id_changes_with_what_changes_vectors_only(profile: profiles.Profile) -> None:
    base = profiles.model_id(profile, Embed())
    assert base.startswith("small@")
    assert len(base) == len("small@") + 12
    same = [
        (replace(profile, file="/elsewhere"), Embed()),
        (replace(profile, identity=profiles.InFolder(0.4, 0.3)), Embed()),
        (profile, Embed(chunk_images=5, batch_images=7, rehash=True, max_rejects=0.5)),
    ]
    other = [
        (replace(profile, crop=profiles.Crop(136, 125, 118)), Embed()),
        (replace(profile, crop=profiles.Crop(135, 125, 118, "share")), Embed()),
        (replace(profile, sha256="1" * 64), Embed()),
        (profile, Embed(detector="aligned")),
        (profile, Embed(faces="largest")),
        (profile, Embed(min_face=40)),
        (profile, Embed(min_confidence=0.5)),
        (replace(profile, channels="bgr"), Embed()),
        (replace(profile, unit_length=False), Embed()),
    ]
    assert {profiles.model_id(*pair) for pair in same} == {base}
    ids = [profiles.model_id(*pair) for pair in other]
    assert profiles.model_id(profile, Embed(faces="all")) == base, "auto embeds all"
    assert base not in ids
    assert len(set(ids)) == len(ids)


def with_section(folder: Path, section: str) -> profiles.Profile:
    (folder / "small.toml").write_text(GOOD.format(digest="0" * 64).replace("$", "") + section)
    return profiles.load("small", str(folder))


def test_distances_are_read_as_cosines(tmp_path: Path) -> None:
    """Two unit vectors at a right angle are the square root of 2 apart; at twice the length, twice as far."""
    section = "[identity_distance]\ndistance = {}\nimpostor_distance = {}\n"
    for length, words in ((1.0, ""), (2.0, "length = 2.0\n")):
        half = length * 2**0.5 * 0.5
        loaded = with_section(tmp_path, section.format(half, length * 2**0.5) + words)
        assert loaded.identity is not None
        assert loaded.identity.cosine == pytest.approx(0.75)
        assert loaded.identity.impostor_line == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("distance = 1.5\nimpostor_distance = 1.6", "means the cosines"),
        ("distance = 0.0\nimpostor_distance = 0.1", "means the cosines"),
        ("distance = 0.5\nimpostor_distance = 0.6\n[identity]\ncosine = 0.5\nimpostor_line = 0.3", "stands beside"),
        ("distance = 0.5", "is required and missing"),
    ],
)
def test_distances_that_mean_no_cosine_are_faults(tmp_path: Path, section: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        with_section(tmp_path, f"[identity_distance]\n{section}\n")
    assert caught.value.faults[0].key.startswith("small.toml: identity_distance")


@pytest.mark.parametrize("form", profiles.FORMS)
def test_every_form_is_accepted(tmp_path: Path, form: str) -> None:
    (tmp_path / "small.toml").write_text(GOOD.format(digest="0" * 64).replace("tflite", form).replace("$", ""))
    assert profiles.load("small", str(tmp_path)).form == form


def test_faults_name_file_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODEL_PLACE", raising=False)
    (tmp_path / "small.toml").write_text(GOOD.format(digest="zz").replace("112, 112", "112"))
    with pytest.raises(ConfigError) as caught:
        profiles.load("small", str(tmp_path))
    assert {fault.key for fault in caught.value.faults} == {
        "small.toml: file",
        "small.toml: sha256",
        "small.toml: input",
    }


def test_unknown_model_lists_what_there_is(tmp_path: Path, profile: profiles.Profile) -> None:
    with pytest.raises(ConfigError, match="small"):
        profiles.load("large", str(tmp_path))


@pytest.mark.parametrize(
    ("section", "key", "new"),
    [
        ("[strangers]\nintercept = 0.0\nslope = 0.1", "strangers", "impostor"),
        ("[same_person]\nprobabilities = []\ncosines = []", "same_person", "genuine"),
        (
            "[identity]\ncosine = 0.5\nstranger_line = 0.3",
            "identity.stranger_line",
            "impostor_line",
        ),
    ],
)
def test_an_old_section_or_key_is_told_its_new_name(tmp_path: Path, section: str, key: str, new: str) -> None:
    (tmp_path / "old.toml").write_text(f"{GOOD.format(digest='0' * 64).replace('$', '')}{section}\n")
    with pytest.raises(ConfigError) as caught:
        profiles.load("old", str(tmp_path))
    (fault,) = caught.value.faults
    assert fault.key == f"old.toml: {key}"
    assert "was renamed to" in fault.problem
    assert new in fault.problem


def test_a_profile_of_vectors_needs_no_model(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('form = "vectors"\ndimension = 512\n')
    profile = profiles.load(str(file), "")
    assert (profile.name, profile.form, profile.dimension, profile.file) == ("mine", "vectors", 512, "")
    ids = {profiles.model_id(profile, settings) for settings in (Embed(), Embed(detector="aligned", min_face=99))}
    assert ids == {profiles.model_id(profile, Embed(), vectors=True)}, "no setting of embed changes vectors"
    file.write_text('form = "tflite"\ndimension = 512\n')
    with pytest.raises(ConfigError, match="sha256: is required"):
        profiles.load(str(file), "")
