"""What `jobs/describe.py` tells of a model: its form and facts, and a profile that works when it is pasted."""

import hashlib
import importlib
import json
import subprocess
import sys
from pathlib import Path

import facenet_graphs
import numpy as np
import pytest

from facesieve import models
from facesieve.cli.describe import compare, describe, main
from facesieve.core import profiles
from facesieve.core.errors import ConfigError, ModelError
from facesieve.models import files
from facesieve.models.network import Facts
from facesieve.models.profile_template import profile_of, profile_text

ROOT = Path(__file__).resolve().parents[2]
BUILT = {"net.h5": "keras_h5", **facenet_graphs.FORMS}


@pytest.fixture(scope="module")
def built():
    return facenet_graphs.small()


def pasted(text, folder, name="pasted"):
    """The profile that a description ends with, loaded from a file of its own."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text[text.index("# A profile of this model") :])
    return profiles.load(name, str(folder))


@pytest.mark.parametrize("dimension", [8, 512])
@pytest.mark.parametrize("name", BUILT)
def test_every_form_is_told_by_its_content_and_its_profile_works(built, tmp_path: Path, name, dimension: int) -> None:
    path = built / str(dimension) / name
    found = describe(path)
    assert found.form == BUILT[name]
    assert (found.profile.input, found.profile.dimension) == ((32, 32), dimension)
    assert found.facts.parameters > 1_000
    profile = pasted(found.text(), tmp_path)
    assert profile == found.profile.__class__(**{**vars(found.profile), "name": "pasted", "margin": profile.margin})
    models.check(profile)
    crops = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    vectors = models.load(profile).embed(crops)
    assert vectors.shape == (2, dimension)


def test_a_keras_file(tmp_path: Path) -> None:
    keras = importlib.import_module("keras")
    source = keras.layers.Input((None, None, 3))
    planes = keras.layers.Conv2D(128, 3)(keras.layers.Rescaling(1 / 255)(source))
    keras.Model(source, keras.layers.GlobalAveragePooling2D()(planes)).save(tmp_path / "it 2017.keras")
    found = describe(tmp_path / "it 2017.keras")
    assert (found.form, found.profile.input, found.profile.dimension) == ("keras", (160, 160), 128)
    assert (found.profile.normalisation, found.profile.name) == ("none", "it-2017")
    models.check(pasted(found.text(), tmp_path))


def test_text_and_record_say_the_same(built) -> None:
    found = describe(built / "8" / "net.h5")
    record, text = found.record(), found.text()
    digest = hashlib.sha256((built / "8" / "net.h5").read_bytes()).hexdigest()
    assert record["sha256"] == record["files"]["net.h5"]["sha256"] == digest
    assert digest in text
    assert f"{record['parameters']:,}" in text
    assert record["inputs"][0] in text
    assert record["profile"] in text
    assert json.loads(json.dumps(record)) == record


def test_a_directory_is_told_with_the_shell_that_gives_its_digest(built) -> None:
    found = describe(built / "8" / "checkpoint")
    (line,) = [line for line in found.text().splitlines() if "sha256sum" in line and "find" in line]
    shell = line.partition("as: ")[2].replace("DIR", str(built / "8" / "checkpoint"))
    printed = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert printed.split()[0] == found.profile.sha256


def test_a_profile_is_compared_with_its_files(built, tmp_path: Path) -> None:
    profile = pasted(describe(built / "8" / "net.h5").text(), tmp_path)
    assert compare(profile).text().endswith("The files are what the profile pasted says.")
    other = {"sha256": "0" * 64, "form": "keras", "input": (40, 40), "dimension": 9}
    with pytest.raises(ConfigError) as caught:
        compare(profile.__class__(**{**vars(profile), **other}))
    assert {fault.key for fault in caught.value.faults} == {f"pasted: {key}" for key in other}
    assert "[40, 40], the files say [32, 32]" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "dimension", "size", "scales", "expected"),
    [
        ("20170512-110547", 128, (160, 160), False, "prewhiten"),
        ("20180402-114759", 512, (160, 160), False, "fixed"),
        ("20180402-114759", 128, (160, 160), False, "fixed"),
        ("facenet", 128, (160, 160), False, "prewhiten"),
        ("facenet", 512, (160, 160), False, "fixed"),
        ("arcface", 128, (112, 112), False, "fixed"),
        ("20170512", 128, (112, 112), True, "none"),
    ],
)
def test_normalisation_is_guessed_by_a_rule_and_said_to_be(
    tmp_path: Path, name: str, dimension: int, size, scales: bool, expected: str
) -> None:
    found = files.ModelFiles(tmp_path / "it", {"it": b""})
    facts = Facts(("x float32 [?]",), ("y float32 [?]",), size, dimension, 1, (), scales)
    profile = profile_of(found, "tflite", facts, name)
    assert profile.normalisation == expected
    assert "Here it is a guess: " in profile_text(profile, facts)


def test_one_of_several_outputs_is_taken_and_all_are_named(tmp_path: Path) -> None:
    outputs = ("planes:0 float32 [?, 7, 7, 4]", "vectors:0 float32 [?, 128]")
    facts = Facts(("x float32 [?, 112, 112, 3]",), outputs, (112, 112), None, 1)
    profile = profile_of(files.ModelFiles(tmp_path / "it", {"it": b""}), "tflite", facts, "it")
    assert profile.output == "vectors:0"
    assert pasted(profile_text(profile, facts), tmp_path).output == "vectors:0"
    assert "planes:0" in profile_text(profile, facts)


@pytest.mark.parametrize("name", ['quote" and \\ back', "ümlaut"])
def test_a_path_is_quoted(tmp_path: Path, name: str) -> None:
    facts = Facts(("x float32 [?]",), ("y float32 [?]",), (112, 112), 128, 1)
    profile = profile_of(files.ModelFiles(tmp_path / name, {name: b""}), "tflite", facts, name)
    assert pasted(profile_text(profile, facts), tmp_path).file == str(tmp_path / name)


def test_what_is_no_model_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "it.pb").write_bytes(b"\x80\x04\x95")
    (tmp_path / "text.pb").write_bytes(b"text")
    for path, said in [("it.pb", "is a pickle"), ("text.pb", "no model of a form"), ("no.pb", "does not exist")]:
        assert main("", [str(tmp_path / path)]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("error: ")
        assert said in printed.err
        assert len(printed.err.splitlines()) == 1
    assert main("", ["unheard-of"]) == 2
    assert "no profile at" in capsys.readouterr().err


def test_a_vector_that_is_none_is_told(built, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "facesieve.models.formats.keras_h5.load", lambda *_: lambda batch: np.full((1, 8), np.nan, np.float32)
    )
    with pytest.raises(ModelError, match="zero or not finite"):
        describe(built / "8" / "net.h5")
    monkeypatch.setattr(
        "facesieve.models.formats.keras_h5.load", lambda *_: lambda batch: np.ones((1, 4, 4, 8), np.float32)
    )
    with pytest.raises(ModelError, match="one row of numbers"):
        describe(built / "8" / "net.h5")


def test_the_job_prints_it_and_nothing_else(built) -> None:
    job = [sys.executable, str(ROOT / "jobs" / "describe.py"), str(built / "8" / "frozen.pb"), "--json"]
    done = subprocess.run(job, env={"PYTHONPATH": str(ROOT / "lib")}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["form"] == "frozen_graph"


def test_the_profiles_that_are_there_are_right(data: Path, facenet_weights: Path) -> None:
    for name in ("facenet", "mobilefacenet"):
        profile = profiles.load(name, str(ROOT / "conf" / "models"))
        assert compare(profile).confirmed
        assert describe(Path(profile.file)).profile.normalisation == profile.normalisation
