"""A tree of folders with names, in a lake without names and paths: no file holds a name, and all jobs know the people.

Exports bear names and paths again. A person is told and erased by name and by path.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import tiny_model
from namespaced import Namespaced
from pyspark.sql import SparkSession
from scenes import encoded, scene
from searched import Sought
from trainers import records, samples

from facesieve.cli import commands
from facesieve.core.hidden_paths import is_hidden
from facesieve.core.profiles import Crop
from facesieve.core.pseudonyms import fingerprint

ANN, BOB = "Annabelle", "Bartholomew"
KEY = "0123456789abcdef" * 2
SIDE = tiny_model.SIDE


class Hidden(Namespaced):
    """A lake without names and paths, of two people with folders of their names."""

    def run(self, name: str, *extra: str) -> int:
        values = {
            **{"lake.store_names": "false", "lake.store_paths": "false", "lake.names_key": self.folder / "names.key"},
            **{"embed.model": self.folder / "tiny.toml", "embed.detector": "aligned", "cluster.score": "cosine"},
            **{"link.scope": "global", "link.threshold_global": 0.5, "decide.overrides": self.folder / "overrides.csv"},
            **{"publish.export_root": self.folder / "export", "publish.bytes": "true", "publish.max_change": 1},
            **{"publish.outputs": '["clean_list","webdataset","huggingface","recordio"]', "publish.max_gone": 1},
        }
        return commands.run(name, [*self.configured(values), *extra])

    def hits(self, *names: str) -> list[str]:
        roots = (Path(self.warehouse) / self.namespace, self.folder / "scratch")
        return Sought(names).hits(file for root in roots for file in root.rglob("*") if file.is_file())

    def listed(self) -> list[str]:
        return [row.uri for row in self.spark.table(f"lake.{self.namespace}.listing").collect()]

    def exported(self) -> list[str]:
        return (next((self.folder / "export").glob("*/clean_list/clean_list.txt"))).read_text().splitlines()


EVERYBODY = [f"{name}\t{name}/{number}.jpg" for name in (ANN, BOB) for number in range(2)]


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Hidden:
    """A finished run; people have ruled, by path, that every image stays."""
    lake = Hidden(spark, folder := tmp_path_factory.mktemp("hidden"))
    tiny_model.profile_file(tiny_model.written(folder, Crop(SIDE, SIDE / 2, SIDE / 2)), folder)
    (folder / "names.key").write_text(KEY)
    rows = [f"{name}/{number}.jpg,keep" for name in (ANN, BOB) for number in range(2)]
    (folder / "overrides.csv").write_text("\n".join(["uri,verdict", *rows, ""]))
    for person, name in enumerate((ANN, BOB)):
        (lake.images / name).mkdir(parents=True)
        for number in range(2):
            (lake.images / name / f"{number}.jpg").write_bytes(encoded(scene(10 * person + number)))
    (lake.images / ANN / "note of Annabelle.heic").write_text("no image, of which the layout gives an example")
    assert lake.run("sieve", "--set", "publish.apply=true", "--run", "r") == 0
    return lake


def test_no_file_of_the_lake_holds_a_name_and_exports_bear_names_and_paths(lake: Hidden) -> None:
    assert lake.hits(ANN, BOB, KEY) == []
    assert len(lake.hits(lake.listed()[0])) > 3, "the search sees what is there"
    assert len(lake.listed()) == 4
    assert all(map(is_hidden, lake.listed()))
    assert sorted(lake.exported()) == EVERYBODY


def test_with_another_key_nobody_is_erased_told_or_let_go(lake: Hidden, capsys: pytest.CaptureFixture[str]) -> None:
    (lake.folder / "wrong.key").write_text(KEY[::-1])
    wrong = ("--set", f"lake.names_key={lake.folder / 'wrong.key'}")
    forgotten = ("--set", "lake.store_names=true", "--set", "lake.store_paths=true")
    image, *_ = lake.spark.table(f"lake.{lake.namespace}.listing").collect()
    person = (f"--image-id={image.image_id}", "--identity", ANN)
    jobs = {"erase": (*person, "--apply"), "subject": (*person, "--out", str(lake.folder / "out")), "retain": ()}
    for job, arguments in jobs.items():
        assert lake.run(job, *arguments, *wrong) == 2
        assert "lake.names_key: is not the key of the names and paths in the tables" in capsys.readouterr().err
        assert lake.run(job, *arguments, *forgotten) == 2
        assert "lake.store_names: is true, but the tables hold pseudonyms" in capsys.readouterr().err
    assert len(lake.listed()) == 4
    assert sorted(lake.exported()) == EVERYBODY
    (record,) = lake.spark.table(f"lake.{lake.namespace}.runs").where("run = 'r'").collect()
    assert json.loads(record.record)["stages"]["listing"]["names_key"] == fingerprint(KEY.encode())


@pytest.mark.long
def test_a_person_is_told_and_erased_by_name_and_by_path(lake: Hidden, capsys: pytest.CaptureFixture[str]) -> None:
    assert lake.run("sieve", "--set", "publish.apply=true", "--run", "again") == 0
    assert "up to date" in capsys.readouterr().out, "equal paths are hidden alike"
    (lake.folder / "truth.csv").write_text("\n".join(["uri,identity", f"{ANN}/0.jpg,a", f"{ANN}/1.jpg,a", ""]))
    assert lake.run("evaluate", "--truth", str(lake.folder / "truth.csv")) == 0
    assert "are not in the run's listing" not in capsys.readouterr().err
    out, proof = lake.folder / "answer", lake.folder / "proof.json"
    assert lake.run("subject", "--identity", ANN, "--out", str(out)) == 0
    answer = json.loads((out / "subject.json").read_text())
    assert sorted((image["uri"], *image["names"]) for image in answer["images"]) == [
        (f"{ANN}/{number}.jpg", ANN) for number in range(2)
    ]
    assert BOB not in (out / "index.html").read_text()
    command = ("--identity", ANN, "--prefix", f"{ANN}/", "--apply", "--with-source", "--proof", str(proof))
    assert lake.run("erase", *command) == 0
    assert json.loads(proof.read_text())["found"] == []
    assert lake.exported() == [line for line in EVERYBODY if line.startswith(BOB)]
    exported = [file for file in (lake.folder / "export").rglob("*") if file.is_file()]
    assert Sought((ANN,)).hits(exported) == []
    (run,) = (lake.folder / "export").glob("r*")
    assert len(records(run / "recordio", "train")) == len(pq.read_table(run / "huggingface" / "data")) == 2
    assert [sample["json"]["identity"] for tar in (run / "webdataset").glob("*.tar") for sample in samples(tar)] == [
        *(BOB, BOB)
    ]
    assert [file.name for file in (lake.images / ANN).iterdir()] == ["note of Annabelle.heic"]
    assert len(lake.listed()) == 2
