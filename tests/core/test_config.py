"""The configuration file, overlays and --set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facesieve.core import config
from facesieve.core.errors import ConfigError


@pytest.fixture
def base(tmp_path: Path) -> str:
    file = tmp_path / "base.toml"
    file.write_text('[lake]\nroot = "/lake"\n[images]\nroot = "/images"\n')
    return str(file)


def _keys(call: Callable[[], object]) -> set[str]:
    with pytest.raises(ConfigError) as caught:
        call()
    return {fault.key for fault in caught.value.faults}


def test_overlay_and_set_win_in_order(base: str, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text("[decide]\nmin_faces = 3\n[cluster]\nseed = 4\n")
    settings = config.load(base, [str(overlay)], ["cluster.seed=7", "images.identity=none", "publish.outputs=[]"])
    assert (settings.decide.min_faces, settings.cluster.seed, settings.images.identity) == (3, 7, "none")


def test_keys_of_a_table_in_a_section_are_set_like_others(base: str, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text('[images.columns]\nuri = "path"\nbytes = "image.bytes"\n')
    columns = config.load(base, [str(overlay)], ["images.columns.identity=label", "images.columns.uri="]).images.columns
    assert (columns.uri, columns.bytes, columns.identity) == ("", "image.bytes", "label")
    assert _keys(lambda: config.load(base, [], ["images.columns.bites=x"])) == {"images.columns.bites"}
    assert _keys(lambda: config.load(base, [], ["images.columns.bytes="])) == {"images.columns.bytes"}
    assert _keys(lambda: config.load(base, [], ["images.columns=x"])) == {"images.columns"}
    assert _keys(lambda: config.load(base, [], ["images..uri=x"])) == {"--set images..uri=x"}


def test_every_fault_of_every_place_is_listed(base: str) -> None:
    keys = _keys(lambda: config.load(base, [], ["link.recall=2", "lnk.scope=global", "nonsense", "cluster.seed=x"]))
    assert keys == {"link.recall", "lnk", "--set nonsense", "cluster.seed"}


def test_a_purpose_that_is_required_must_be_stated_by_who_writes(base: str) -> None:
    required = ["run.require_purpose=true"]
    assert _keys(lambda: config.load(base, [], required)) == {"run.purpose"}
    assert _keys(lambda: config.load(base, [], [*required, "run.purpose= "])) == {"run.purpose"}
    assert config.load(base, [], [*required, "run.purpose=clean the set"]).run.purpose == "clean the set"
    assert config.load(base, [], required, ("lake",)).run.require_purpose, "who only looks need not say what for"


def test_names_are_hidden_where_the_paths_do_not_tell_them(base: str) -> None:
    hide = ["lake.store_names=false"]
    assert _keys(lambda: config.load(base, [], hide)) == {"lake.store_names"}
    assert _keys(lambda: config.load(base, [], [*hide, "images.format=parquet", "images.identity=top"])) == {
        "lake.store_names"
    }
    labelled, paths = [*hide, "images.labels=/labels.csv"], "lake.store_paths=false"
    assert config.load(base, [], [*hide, paths]).lake.store_paths is False
    assert _keys(lambda: config.load(base, [], [paths])) == {"lake.store_paths"}
    assert _keys(lambda: config.load(base, [], [*hide, paths, "images.format=parquet"])) == {"lake.store_paths"}
    assert _keys(lambda: config.load(base, [], [*labelled, "images.same_names=unite"])) == {"images.same_names"}
    for sets in (labelled, [*hide, "images.identity=none"], [*hide, "images.format=parquet"]):
        assert not config.load(base, [], sets).lake.store_names


@pytest.mark.parametrize(
    ("sets", "faces"),
    [
        ([], "auto"),
        (["images.identity=none"], "largest"),
        (["images.identity=none", "images.labels=/labels.csv"], "auto"),
        (["images.identity=none", "embed.faces=all"], "all"),
        (["embed.detector=aligned"], "largest"),
        (["embed.faces=largest"], "largest"),
        (["images.format=vectors"], "largest"),
    ],
)
def test_all_faces_are_taken_where_images_may_bear_names(base: str, sets: list[str], faces: str) -> None:
    assert config.load(base, [], sets).embed.faces == faces


def test_what_belongs_together(base: str) -> None:
    assert _keys(lambda: config.load(base, [], ["lake.root="])) == {"lake.root", "lake.scratch"}
    assert _keys(lambda: config.load(base, [], ['publish.outputs=["folders"]'])) == {"publish.export_root"}
    halves = ["publish.validation=0.5", "publish.test=0.5"]
    assert _keys(lambda: config.load(base, [], [*halves, "publish.split=image"])) == {"publish.validation"}
    assert config.load(base, [], halves).publish.split == "none"


@pytest.mark.parametrize(
    ("key", "sets"),
    [
        ("publish.export_root", ["publish.export_root=/images/out"]),
        ("publish.export_root", ["publish.export_root=/d", "images.root=/d/run/folders"]),
        ("publish.export_root", ["publish.export_root=file:///images/o%75t"]),
        ("lake.root", ["lake.root=/images"]),
        ("lake.root", ["lake.root=/p", "images.root=/p/faces"]),
        ("lake.scratch", ["lake.scratch=/images/s"]),
    ],
)
def test_results_and_images_must_not_overlap(base: str, key: str, sets: list[str]) -> None:
    assert _keys(lambda: config.load(base, [], sets)) == {key}


def test_neighbours_do_not_overlap(base: str) -> None:
    assert config.load(base, [], ["lake.root=/images2"]).lake.root == "/images2"
    assert config.load(base, [], ["lake.root=/p", "images.root=/p/photographs"]).images.root == "/p/photographs"


def test_the_name_of_a_table_overlaps_no_place(base: str) -> None:
    assert config.load(base, [], ["lake.root=/p", "images.format=table", "images.root=lake.faces.raw"])


def test_what_needs_pictures_is_refused_without_images(base: str) -> None:
    sets = ["images.format=vectors", "publish.export_root=/out"]
    assert config.load(base, [], [*sets, 'publish.outputs=["parquet"]'])
    wrong = [*sets, 'publish.outputs=["folders", "parquet"]', "publish.bytes=true"]
    assert _keys(lambda: config.load(base, [], wrong)) == {"publish.outputs", "publish.bytes"}


def test_a_required_key_is_missed_even_where_its_section_is_absent(tmp_path: Path) -> None:
    file = tmp_path / "min.toml"
    file.write_text('[lake]\nroot = "/lake"\n')
    assert _keys(lambda: config.load(str(file))) == {"images.root"}


def test_a_missing_or_broken_file_is_a_fault(base: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[lake\n")
    absent = str(tmp_path / "absent.toml")
    assert _keys(lambda: config.load(base, [str(broken), absent])) == {str(broken), absent}


def test_what_a_job_does_not_use_may_be_left_out_but_not_wrong(tmp_path: Path) -> None:
    file = tmp_path / "lake.toml"
    file.write_text('[lake]\nroot = "/lake"\n[publish]\noutputs = ["folders"]\n')
    assert _keys(lambda: config.load(str(file))) == {"images.root", "publish.export_root"}
    assert config.load(str(file), sections=("lake",)).lake.root == "/lake"
    assert _keys(lambda: config.load(str(file), (), ["link.recall=2"], ("lake",))) == {"link.recall"}


@pytest.mark.parametrize(
    ("sets", "model"), [(["link.recall=2", "embed.model=mine"], "mine"), (["embed=3"], "facenet"), ([], "facenet")]
)
def test_the_model_is_named_whatever_else_is_wrong(base: str, sets: list[str], model: str) -> None:
    assert config.model_named(base, (), sets) == model


@pytest.mark.parametrize("name", ["images.root", "lake.root", "decide.overrides", "embed.model"])
def test_a_place_whose_name_is_no_utf8_is_a_fault_that_shows_it(base: str, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(base, sets=[f"{name}=/data/caf\udce9"])
    (fault,) = (each for each in caught.value.faults if each.key == name)
    assert fault.problem == "/data/caf\\xe9: its name is not UTF-8"
