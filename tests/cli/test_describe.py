"""What `jobs/describe.py` tells of a model: its form and facts, and a profile that works when it is pasted."""

import hashlib
import importlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import facenet_graphs
import numpy as np
import pytest

from facesieve import models
from facesieve.cli.describe import compare, describe, main
from facesieve.core import profiles
from facesieve.core.errors import ConfigError, ModelError
from facesieve.core.profiles import Profile
from facesieve.models import files
from facesieve.models.network import Facts
from facesieve.models.profile_template import profile_of, profile_text

ROOT = Path(__file__).resolve().parents[2]
BUILT = {"net.h5": "keras_h5", **facenet_graphs.FORMS}


@pytest.fixture(scope="module")
def built() -> Path:
    return facenet_graphs.small()


def pasted(text: str, folder: Path, name: str = "pasted") -> Profile:
    """The profile that a description ends with, loaded from a file of its own."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text[text.index("# A profile of this model") :])
    return profiles.load(name, str(folder))


@pytest.mark.parametrize("dimension", [8, 512])
@pytest.mark.parametrize("name", BUILT)
def test_every_form_is_told_by_its_content_and_its_profile_works(
    built: Path, tmp_path: Path, name: str, dimension: int
) -> None:
    path = built / str(dimension) / name
    described = describe(path)
    assert described.form == BUILT[name]
    assert (described.profile.input, described.profile.dimension) == ((32, 32), dimension)
    assert described.facts.parameters > 1_000
    profile = pasted(described.text(), tmp_path)
    assert profile == described.profile.__class__(
        **{**vars(described.profile), "name": "pasted", "margin": profile.margin}
    )
    models.check(profile)
    crops = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    vectors = models.load(profile).embed(crops)
    assert vectors.shape == (2, dimension)


def test_a_keras_file(tmp_path: Path) -> None:
    keras = importlib.import_module("keras")
    source = keras.layers.Input((None, None, 3))
    planes = keras.layers.Conv2D(128, 3)(keras.layers.Rescaling(1 / 255)(source))
    keras.Model(source, keras.layers.GlobalAveragePooling2D()(planes)).save(tmp_path / "it 2017.keras")
    described = describe(tmp_path / "it 2017.keras")
    assert (described.form, described.profile.input, described.profile.dimension) == ("keras", (160, 160), 128)
    assert (described.profile.normalisation, described.profile.name) == ("none", "it-2017")
    models.check(pasted(described.text(), tmp_path))


def test_text_and_record_say_the_same(built: Path) -> None:
    described = describe(built / "8" / "net.h5")
    record: dict[str, Any] = json.loads(json.dumps(described.record()))
    text = described.text()
    digest = hashlib.sha256((built / "8" / "net.h5").read_bytes()).hexdigest()
    assert record["sha256"] == record["files"]["net.h5"]["sha256"] == digest
    assert digest in text
    assert f"{record['parameters']:,}" in text
    assert record["inputs"][0] in text
    assert record["profile"] in text
    assert described.record() == record


def test_a_directory_is_told_with_the_shell_that_gives_its_digest(built: Path) -> None:
    described = describe(built / "8" / "checkpoint")
    (line,) = [line for line in described.text().splitlines() if "sha256sum" in line and "find" in line]
    shell = line.partition("as: ")[2].replace("DIR", str(built / "8" / "checkpoint"))
    printed = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert printed.split()[0] == described.profile.sha256


def test_a_profile_is_compared_with_its_files(built: Path, tmp_path: Path) -> None:
    profile = pasted(describe(built / "8" / "net.h5").text(), tmp_path)
    assert compare(profile).text().endswith("The files are what the profile pasted says.")
    other: dict[str, Any] = {"sha256": "0" * 64, "form": "keras", "input": (40, 40), "dimension": 9}
    with pytest.raises(ConfigError) as caught:
        compare(replace(profile, **other))
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
    tmp_path: Path, name: str, dimension: int, size: tuple[int, int], scales: bool, expected: str
) -> None:
    described = files.ModelFiles(tmp_path / "it", {"it": b""})
    facts = Facts(("x float32 [?]",), ("y float32 [?]",), size, dimension, 1, (), scales)
    profile = profile_of(described, "tflite", facts, name)
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


def test_a_model_that_is_refused_still_tells_its_tensors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keras = importlib.import_module("keras")
    source = keras.layers.Input((16, 16, 3), name="crops")
    keras.Model(source, keras.layers.Lambda(lambda x: x, name="own")(source)).save(tmp_path / "net.keras")
    assert main("", [str(tmp_path / "net.keras")]) == 2
    printed = capsys.readouterr()
    assert "crops [?, 16, 16, 3]" in printed.out
    assert "own (Lambda)" in printed.out
    assert "Layer own is a Lambda, which is not accepted" in printed.err
    assert main("", [str(tmp_path / "net.keras"), "--json"]) == 2
    record = json.loads(capsys.readouterr().out)
    assert (record["form"], record["outputs"]) == ("keras", ["own (Lambda)"])
    assert "not accepted" in record["problem"]


def test_weights_of_a_shipped_profile_are_recognised(
    facenet_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main("", [str(facenet_weights)]) == 0
    text = capsys.readouterr().out
    assert 'These are the files of the profile facenet: set embed.model = "facenet"' in text
    (tmp_path / "mine.toml").write_text(text[text.index("# The profile, with") :])
    mine, shipped = profiles.load("mine", str(tmp_path)), profiles.load("facenet", str(ROOT / "conf" / "models"))
    assert mine == replace(shipped, file=str(facenet_weights), name="mine")
    assert main("", [str(facenet_weights), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["published"] == "facenet"


def test_what_is_no_model_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "it.pb").write_bytes(b"\x80\x04\x95")
    (tmp_path / "text.pb").write_bytes(b"text")
    for path, mistake in [("it.pb", "is a pickle"), ("text.pb", "no model of a form"), ("no.pb", "does not exist")]:
        assert main("", [str(tmp_path / path)]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("error: ")
        assert mistake in printed.err
        assert len(printed.err.splitlines()) == 1
    assert main("", ["unheard-of"]) == 2
    assert "no profile at" in capsys.readouterr().err


def test_a_vector_that_is_none_is_told(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_job_prints_it_and_nothing_else(built: Path) -> None:
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
