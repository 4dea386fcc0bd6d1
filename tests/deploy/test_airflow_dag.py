"""The DAG, read as text: Airflow is no dependency. That a real Airflow loads and runs it was tried by hand."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from submitting import MEMORY, Parse, cluster_conf

from facesieve.cli.problems import Exit

ROOT = Path(__file__).resolve().parents[2]
SOURCE = (ROOT / "conf" / "deploy" / "airflow_dag.py").read_text(encoding="utf-8")
TREE = ast.parse(SOURCE)


def constant(name: str) -> Any:
    values = [node.value for node in TREE.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name]
    return ast.literal_eval(values[0])


PROJECT = constant("PROJECT")


def call(name: str) -> dict[str, ast.expr]:
    calls = [node for node in ast.walk(TREE) if isinstance(node, ast.Call) and ast.unparse(node.func) == name]
    return {keyword.arg: keyword.value for keyword in calls[0].keywords if keyword.arg}


def plain(node: ast.expr) -> Any:
    """The value of an expression of constants and PROJECT."""
    return eval(compile(ast.Expression(node), "dag", "eval"), {"PROJECT": PROJECT})


TASK = call("SieveOperator")


def test_the_job_takes_its_arguments(parse: Parse) -> None:
    arguments = parse(plain(TASK["application"]), plain(TASK["application_args"]))
    assert (arguments.config, arguments.json, arguments.log_format) == (f"{PROJECT}/conf/pipeline.toml", True, "json")
    assert arguments.overlay
    assert Path(arguments.metrics).is_absolute()


def test_what_it_names_is_in_the_project() -> None:
    named = {path for path in re.findall(r"\{PROJECT\}/([\w./-]+)", SOURCE) if not path.startswith((".venv/", "dist/"))}
    assert [path for path in named if not (ROOT / path).is_file()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [path for path in re.findall(r"\{PROJECT\}/(dist/[\w.-]+)", SOURCE) if Path(path).name not in makefile] == []


def test_the_command_is_that_of_the_documentation() -> None:
    """Archives, modules and properties as `docs/cluster.md` gives them, and the Python of the archive."""
    archive, name = plain(TASK["archives"]).split("#")
    assert plain(TASK["conf"])["spark.pyspark.python"] == f"./{name}/bin/python"
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    for given, option in ((archive, "--archives"), (plain(TASK["py_files"]), "--py-files")):
        assert f"{option} {Path(given).relative_to(PROJECT)}" in page
    assert f"--properties-file {Path(plain(TASK['properties_file'])).relative_to(PROJECT)}" in page


def test_log4j_is_found_from_any_folder() -> None:
    key = "spark.driver.extraJavaOptions"
    assert plain(TASK["conf"])[key] == cluster_conf()[key].replace("=conf/", f"={PROJECT}/conf/")


def test_the_nodes_have_the_memory_of_the_other_manifests() -> None:
    settings = plain(TASK["conf"])
    assert {name: settings.get(name) for name in MEMORY} == MEMORY


def test_a_person_is_asked_where_the_job_says_so() -> None:
    assert set(constant("NEVER_AGAIN")) == {Exit.WRONG, Exit.REFUSED}
    assert plain(TASK["deploy_mode"]) == "client"
    assert plain(TASK["retries"]) > 0


@pytest.mark.parametrize(
    ("message", "codes"),
    [
        ("Cannot execute: spark-submit --master yarn. Error code is: 3.", {3}),
        ("Cannot execute: spark-submit. Error code is: 1. Kubernetes spark exit code is: 3", {1, 3}),
        ("No driver id is known", set()),
    ],
)
def test_the_exit_code_is_read_in_the_messages_of_the_provider(message: str, codes: set[int]) -> None:
    """Messages of apache-airflow-providers-apache-spark 6.3.4."""
    pattern = next(
        plain(node.args[0])
        for node in ast.walk(TREE)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.findall"
    )
    assert {int(code) for code in re.findall(pattern, message)} == codes


def test_runs_do_not_meet() -> None:
    schedule = call("DAG")
    assert plain(schedule["max_active_runs"]) == 1
    assert plain(schedule["catchup"]) is False
    assert re.fullmatch(r"\d+ \d+ \* \* \*", plain(schedule["schedule"]))
