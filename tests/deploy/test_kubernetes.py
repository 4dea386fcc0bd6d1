"""The manifests for the Spark operator: against its published schema, and against what they name."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubeflow_spark_api import models
from submitting import MEMORY, Parse, cluster_conf

from facesieve import __version__
from facesieve.core import config
from facesieve.core.places import local_path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "conf" / "deploy"
KINDS = {
    "spark-application.yaml": models.SparkV1beta2SparkApplication,
    "scheduled-spark-application.yaml": models.SparkV1beta2ScheduledSparkApplication,
}
PROJECT = "/opt/facesieve"
Manifest = dict[str, Any]

# The published models take any text where the operator's definition takes one of a few words.
WORDS = {
    "concurrencyPolicy": {"Allow", "Forbid", "Replace"},
    "restartPolicy": {"Never", "OnFailure", "Always"},
    "type": {"Java", "Python", "Scala", "R"},
    "mode": {"cluster", "client"},
    "pythonVersion": {"2", "3"},
}


def manifest(name: str) -> Manifest:
    loaded: Manifest = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return loaded


def faults(name: str, written: Manifest) -> list[str]:
    """What the schema does not take: fields of another type raise, unknown ones are lost on the way back."""
    return sorted(_differences(written, KINDS[name].from_dict(copy.deepcopy(written)).to_dict()))


def _differences(written: Any, read: Any, where: str = "") -> Iterator[str]:
    if isinstance(written, dict) and isinstance(read, dict):
        for key in written.keys() | read.keys():
            yield from _differences(written.get(key), read.get(key), f"{where}.{key}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for number, (one_written, one_read) in enumerate(zip(written, read, strict=True)):
            yield from _differences(one_written, one_read, f"{where}[{number}]")
    elif written != read:
        yield where


@pytest.mark.parametrize("name", KINDS)
def test_the_published_schema_takes_every_field(name: str) -> None:
    written = manifest(name)
    assert written["apiVersion"] == "sparkoperator.k8s.io/v1beta2"
    assert written["kind"] == KINDS[name].__name__.removeprefix("SparkV1beta2")
    assert faults(name, written) == []


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("spec",), "concurencyPolicy", "Forbid"),
        (("spec", "template"), "sparkconf", {}),
        (("spec", "template", "restartPolicy"), "onFailureRetry", 3),
        (("spec", "template", "driver"), "volumeMount", []),
        (("spec", "template", "volumes", 0, "persistentVolumeClaim"), "claim", "x"),
    ],
)
def test_a_field_that_is_misspelt_is_seen(path: tuple[Any, ...], key: str, value: Any) -> None:
    """The published models pass unknown fields over, as a cluster without strict validation does."""
    name = "scheduled-spark-application.yaml"
    written = manifest(name)
    place = written
    for step in path:
        place = place[step]
    place[key] = value
    assert len(faults(name, written)) == 1
    assert faults(name, written)[0].endswith(key)


def test_a_value_of_another_type_is_seen() -> None:
    name = "spark-application.yaml"
    written = manifest(name)
    written["spec"]["executor"]["instances"] = "four"
    with pytest.raises(ValueError, match="instances"):
        faults(name, written)


@pytest.mark.parametrize("name", KINDS)
def test_words_are_those_of_the_operator(name: str) -> None:
    written = manifest(name)["spec"]
    spec = written.get("template", written)
    chosen = {**written, **spec, "restartPolicy": spec["restartPolicy"]["type"]}
    assert {key for key, words in WORDS.items() if key in chosen and chosen[key] not in words} == set()
    # A policy OnFailure would repeat a refused run: the operator does not tell exit codes apart.
    assert chosen["restartPolicy"] == "Never"


def test_the_schedule_runs_what_the_single_run_is() -> None:
    scheduled, single = manifest("scheduled-spark-application.yaml")["spec"], manifest("spark-application.yaml")["spec"]
    assert scheduled["template"] == single
    assert scheduled["concurrencyPolicy"] == "Forbid"
    assert re.fullmatch(r"\d+ \d+ \* \* \*", scheduled["schedule"])
    assert scheduled["timeZone"]


def test_the_job_takes_its_arguments(parse: Parse) -> None:
    spec = manifest("spark-application.yaml")["spec"]
    arguments = parse(spec["mainApplicationFile"], spec["arguments"])
    assert (arguments.config, arguments.json, arguments.log_format) == (f"{PROJECT}/conf/pipeline.toml", True, "json")
    mounts = [mount["mountPath"] for mount in spec["driver"]["volumeMounts"]]
    assert any(arguments.metrics.startswith(f"{mount}/") for mount in mounts)
    assert arguments.overlay == [f"{spec['driver']['configMaps'][0]['path']}/site.toml"]


def test_what_it_names_in_the_image_is_in_the_project() -> None:
    text = (DEPLOY / "spark-application.yaml").read_text(encoding="utf-8")
    inside = set(re.findall(rf"(?<=\W){PROJECT}/([\w./-]+)", text))
    assert {path for path in inside if not path.startswith("env/")} == {
        "jobs/sieve.py",
        "conf/pipeline.toml",
        "conf/spark/log4j2.properties",
    }
    assert [path for path in inside if not (path.startswith("env/") or (ROOT / path).is_file())] == []
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    python = manifest("spark-application.yaml")["spec"]["sparkConf"]["spark.pyspark.python"]
    assert f"PYSPARK_PYTHON={python} " in dockerfile


def test_spark_is_configured_as_on_any_cluster() -> None:
    written = manifest("spark-application.yaml")["spec"]["sparkConf"]
    # The operator has fields of its own for memory, and the image holds the jars.
    elsewhere = {"spark.jars.packages", "spark.driver.memory"}
    assert elsewhere <= cluster_conf().keys()
    expected = {key: value for key, value in cluster_conf().items() if key not in elsewhere}
    options = "spark.driver.extraJavaOptions"
    expected[options] = expected[options].replace("=conf/", f"={PROJECT}/conf/")
    assert {key: written.get(key) for key in expected} == expected


def test_the_nodes_have_the_memory_of_the_other_manifests() -> None:
    spec = manifest("spark-application.yaml")["spec"]
    named = {
        f"spark.{part}.{key}": str(spec[part][key])
        for part in ("driver", "executor")
        for key in spec[part]
        if key in ("memory", "memoryOverhead")
    }
    assert {**named, "spark.executor.cores": str(spec["executor"]["cores"])} == MEMORY
    assert cluster_conf()["spark.driver.memory"] == MEMORY["spark.driver.memory"]


def test_versions_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    spark = next(line.partition("==")[2] for line in project["dependencies"] if line.startswith("pyspark=="))
    spec = manifest("spark-application.yaml")["spec"]
    assert spec["sparkVersion"] == spark
    assert spec["image"] == f"facesieve:{__version__}"
    assert f" -t facesieve:{__version__} ." in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_the_overlay_is_a_configuration_and_its_catalog_is_there() -> None:
    settings = config.load(str(ROOT / "conf" / "pipeline.toml"), [str(DEPLOY / "site.toml")])
    written = manifest("spark-application.yaml")["spec"]
    assert f"spark.sql.catalog.{settings.lake.catalog}" in written["sparkConf"]
    assert settings.publish.outputs, "a root for exports without exports is a trap"
    scratch = local_path(settings.lake.scratch)
    shared = [mount["mountPath"] for mount in written["executor"]["volumeMounts"]]
    assert scratch is not None
    assert any(scratch.startswith(f"{mount}/") for mount in shared)
