"""What monitoring is told: the ledger's numbers under the words of the code, and no word of the collection."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_model
from finished import Finished
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from publishing import Shop
from pyspark.sql import SparkSession

from facesieve import __version__
from facesieve.assess import evaluate
from facesieve.cli import main, metrics
from facesieve.cli.commands import COMMANDS
from facesieve.cli.erasure_metrics import of_erasure
from facesieve.cli.exposition import text_of
from facesieve.cli.problems import Exit
from facesieve.cluster.step import cluster
from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.core.profiles import Crop
from facesieve.core.reasons import REJECTING, Reason, Verdict
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.lake.records import RunRecord
from facesieve.lake.run import Run
from facesieve.link.step import link
from facesieve.publish.step import publish

STEPS = (embed, link, cluster, decide, publish)
WORDS = {
    "command": {*COMMANDS, "pytest", "__main__"},
    "step": {"listing", "embed", "link", "cluster", "decide", "publish"},
    "scope": {"identity", "global"},
    "verdict": {verdict.value for verdict in Verdict} | {metrics.OTHER},
    "reason": {reason.value for reason in Reason} | {metrics.OTHER},
    "version": {__version__},
}
ENDINGS = ("precision_ratio", "recall_ratio", "f_ratio")
SECRET = "Zebulon"
"""A name that stands in folders, files, texts and arguments of these tests."""

Samples = dict[tuple[str, str], float]


def parsed(text: str) -> Samples:
    """Read a text with Prometheus' parser, check its form, and return the values by name and own label."""
    families = list(text_string_to_metric_families(text))
    samples: Samples = {}
    for family in families:
        assert re.fullmatch(r"facesieve_[a-z_]+", family.name)
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            assert sample.labels.keys() <= WORDS.keys()
            assert all(value in WORDS[label] for label, value in sample.labels.items())
            own = [value for label, value in sample.labels.items() if label != "command"]
            samples[family.name, "".join(own)] = sample.value
    assert len({family.name for family in families}) == len(families)
    return samples


def figures_of(steps: Mapping[str, Any], warnings: Sequence[str] = ()) -> Samples:
    record = RunRecord.from_json({"stages": steps, "warnings": list(warnings)})
    return parsed(text_of(metrics.of_run(record.stages, record.warnings), {"command": "sieve"}))


def full_record() -> RunRecord:
    """A record in which every number that is told has a value."""
    step: dict[str, Any] = {"seconds": 1.5, "jobs": 7, "tasks": 30, "rows_in": 10, "rows_out": 9, "reused": True}
    forecast = {"forecast": 2.5}
    link_facts = {"recall": 0.97, "recall_low": 0.95, "recall_high": 0.99, "false_matches": forecast, "edges": 40}
    churn = {"changed": 0.25, "births": 1, "deaths": 2, "merges": 3, "splits": 4}
    scope = {"clusters": 5, "largest_share": 0.5, "unstable": 1, "loose": 2, "settled": True, "churn": churn}
    decide_facts = {"verdicts": {"keep": 6, "drop": 4}, "reasons": {"outlier": 4}, "links": 1, "contradicted": 2}
    stages = {
        "listing": step | {"ignored": 3, "new": 2, "gone": 1},
        "embed": step | {"reasons": {"no_face": 4}},
        "link": step | link_facts | {"cosines": {"global": 0.6}},
        "cluster": step | {"global": scope | {"false_matches": 0.1}},
        "decide": step | decide_facts,
        "publish": step | {"known": 5, "changed": 1, "gone": 0, "added": 3, "exported": 2},
    }
    return RunRecord.from_json({"stages": stages, "warnings": [f"there is no {SECRET}"]})


def full_evaluation() -> dict[str, Any]:
    agreement = {"precision": 0.5, "recall": 0.25, "f": 1 / 3}
    figures = {"faces": 4, "compared": 3, "false_matches": 0.5, "bcubed": agreement, "pairwise": agreement}
    return {"scopes": {"global": figures}}


def test_every_number_an_operator_asks_for_has_its_metric() -> None:
    record = full_record()
    samples = parsed(text_of(metrics.of_run(record.stages, record.warnings), {"command": "sieve"}))
    expected = {
        ("facesieve_warnings", ""): 1,
        ("facesieve_step_duration_seconds", "link"): 1.5,
        ("facesieve_step_spark_jobs", "decide"): 7,
        ("facesieve_step_spark_tasks", "listing"): 30,
        ("facesieve_step_reused", "publish"): 1,
        ("facesieve_step_output_rows", "embed"): 9,
        ("facesieve_faces", ""): 9,
        ("facesieve_rejected_images", "no_face"): 4,
        ("facesieve_rejected_images", "empty"): 0,
        ("facesieve_link_recall_ratio", ""): 0.97,
        ("facesieve_link_recall_low_ratio", ""): 0.95,
        ("facesieve_link_recall_high_ratio", ""): 0.99,
        ("facesieve_link_false_matches_forecast", ""): 2.5,
        ("facesieve_link_cosine", "global"): 0.6,
        ("facesieve_clusters", "global"): 5,
        ("facesieve_churn_faces_ratio", "global"): 0.25,
        ("facesieve_churn_splits", "global"): 4,
        ("facesieve_images", "keep"): 6,
        ("facesieve_images", "fail"): 0,
        ("facesieve_reason_images", "outlier"): 4,
        ("facesieve_published_changed_images", ""): 1,
    }
    assert {key: samples.get(key) for key in expected} == expected


def test_the_page_lists_every_metric_and_no_other() -> None:
    record = full_record()
    figures = [*metrics.of_end(metrics.End(0, 2, 1, 2)), *metrics.of_run(record.stages, record.warnings)]
    figures += metrics.of_evaluation(full_evaluation())
    searched: dict[str, Any] = {"looked_at": {"files": {"parquet": 3}, "bytes": 700}, "found": []}
    figures += of_erasure({"applied": True, "images": 5, "proof": searched})
    written = {name for name, _ in parsed(text_of(figures, {"command": "sieve"}))}
    assert {metric.name for metric in figures} == written
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = {name for line in page.splitlines() if line.startswith("| `f") for name in re.findall(r"`(\w+)`", line)}
    agreement = {f"facesieve_evaluation_{kind}_{part}" for kind in ("bcubed", "pairwise") for part in ENDINGS}
    assert {name for name in listed if name.startswith("facesieve_")} | agreement == written
    assert {name for name in re.findall(r"facesieve_\w+", page) if name not in listed} == set()


def test_a_metric_of_each_reject_is_there_before_the_first_one() -> None:
    """An alert on a series that is not there never fires."""
    samples = figures_of({"embed": {"rows_out": 3}})
    rejects = {word: value for (name, word), value in samples.items() if name == "facesieve_rejected_images"}
    assert rejects == dict.fromkeys((reason.value for reason in REJECTING), 0)


@given(
    st.dictionaries(st.text(max_size=8), st.integers(0, 9), max_size=4),
    st.sampled_from(["embed", "decide"]),
    st.dictionaries(st.text(max_size=8), st.integers(0, 9), max_size=3),
)
def test_a_word_that_is_not_of_the_code_is_counted_and_not_written(
    reasons: dict[str, int], step: str, verdicts: dict[str, int]
) -> None:
    samples = figures_of({step: {"reasons": reasons, "verdicts": verdicts}, "a step of theirs": {"seconds": 1}})
    name = {"embed": "facesieve_rejected_images", "decide": "facesieve_reason_images"}[step]
    assert sum(value for (metric, _), value in samples.items() if metric == name) == sum(reasons.values())
    if step == "decide":
        counted = sum(value for (metric, _), value in samples.items() if metric == "facesieve_images")
        assert counted == sum(verdicts.values())


def test_a_record_of_a_version_without_these_fields_is_told_as_far_as_it_goes() -> None:
    steps = ("listing", "embed", "link", "cluster", "decide", "publish")
    samples = figures_of({step: {} for step in steps})
    assert ("facesieve_link_recall_ratio", "") not in samples
    assert samples["facesieve_step_reused", "link"] == 0


class Nightly:
    """The job with --metrics on a few pictures of people whose folders bear SECRET names."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.shop, self.file = Shop(spark, folder / SECRET), folder / f"{SECRET}.prom"
        profile = tiny_model.written(folder, Crop(64, 32, 32))
        self.model, noise = tiny_model.profile_file(profile, folder), np.random.default_rng(0)
        for person in (SECRET, f"{SECRET}ine"):
            (self.shop.images / person).mkdir()
            pattern = np.kron(noise.uniform(0, 255, (8, 8, 3)), np.ones((8, 8, 1)))
            for number in range(3):
                pixels = np.clip(pattern + noise.normal(0, 12, pattern.shape), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(self.shop.images / person / f"{SECRET}{number}.png")
        (self.shop.images / SECRET / f"empty{SECRET}.png").touch()
        (self.shop.images / SECRET / f"{SECRET} notes.txt").write_text(SECRET)

    def run(self, *sets: str, steps: Sequence[main.Step] = STEPS, extra: Sequence[str] = ()) -> tuple[int, Samples]:
        settings = (
            *("embed.detector=aligned", "link.scope=identity", "link.threshold_identity=0.8", "cluster.score=cosine"),
            *("decide.min_faces=2", "decide.near_bits=0", "decide.near_cosine=1", f"embed.model={self.model}"),
        )
        arguments = [*self.shop.arguments(*settings, *sets), "--metrics", str(self.file), *extra]
        code = main.main(steps, "", arguments, "facesieve sieve")
        return code, self.samples()

    def samples(self) -> Samples:
        text = self.file.read_text(encoding="utf-8")
        assert SECRET.lower() not in text.lower()
        assert str(self.shop.images.parent.parent) not in text
        return parsed(text)


@pytest.fixture(scope="module")
def nightly(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Nightly:
    return Nightly(spark, tmp_path_factory.mktemp("nightly"))


def refusing(run: Run) -> None:
    """A step that refuses for safety, with a text that names somebody."""
    raise Refused(f"{SECRET} would go")


def test_runs_of_every_kind_leave_their_metrics(nightly: Nightly, capsys: pytest.CaptureFixture[str]) -> None:
    code, done = nightly.run("publish.apply=true", extra=("--log-format", "json"))
    log = capsys.readouterr().err
    assert code == done["facesieve_exit_code", ""] == Exit.DONE, log
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["step"] for line in lines} >= {"embed", "link", "cluster", "decide", "publish"}
    shown = [line["msg"].lower() for line in lines if line["level"] == "INFO"]
    secrets = (SECRET.lower(), str(nightly.shop.images.parent.parent).lower(), ".png")
    assert [message for message in shown if any(secret in message for secret in secrets)] == []
    record = nightly.shop.record(
        nightly.shop.spark.table(f"lake.{nightly.shop.namespace}.runs").orderBy("started").collect()[-1].run
    )
    images = {word: value for (name, word), value in done.items() if name == "facesieve_images"}
    assert images == record["stages"]["decide"]["verdicts"]
    assert sum(images.values()) == done["facesieve_listed_images", ""] == 7
    assert (done["facesieve_rejected_images", "empty"], done["facesieve_faces", ""]) == (1, 6)
    assert {step for name, step in done if name == "facesieve_step_spark_tasks"} == WORDS["step"]
    assert done["facesieve_step_spark_tasks", "embed"] == record["stages"]["embed"]["tasks"] > 0
    success = done[metrics.LAST_SUCCESS, ""]

    again = nightly.run("publish.apply=true")[1]
    assert {value for (name, _), value in again.items() if name == "facesieve_step_reused"} == {1}
    assert again[metrics.LAST_SUCCESS, ""] > success

    code, refused = nightly.run(steps=(embed, refusing))
    assert code == refused["facesieve_exit_code", ""] == Exit.REFUSED
    assert refused[metrics.LAST_SUCCESS, ""] == again[metrics.LAST_SUCCESS, ""]
    assert ("facesieve_step_reused", "embed") in refused
    assert ("facesieve_step_reused", "link") not in refused


def interrupting(run: Run) -> None:
    raise KeyboardInterrupt


def failing(run: Run) -> None:
    raise RuntimeError(SECRET)


@pytest.mark.parametrize(("step", "code"), [(interrupting, Exit.INTERRUPTED), (failing, Exit.FAILED)])
def test_a_run_that_breaks_leaves_its_metrics(nightly: Nightly, step: main.Step, code: Exit) -> None:
    assert nightly.run(steps=(step,)) == (code, nightly.samples())
    assert nightly.samples()["facesieve_exit_code", ""] == code


def test_faults_of_the_configuration_leave_their_metrics(nightly: Nightly) -> None:
    code, samples = nightly.run(f"link.{SECRET}=1")
    assert code == samples["facesieve_exit_code", ""] == Exit.WRONG


def test_a_bad_place_is_told_with_the_other_faults_before_any_work(
    nightly: Nightly, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(run: Run) -> None:
        pytest.fail("the work began")

    code, _ = nightly.run("lnk.x=1", steps=(never,), extra=("--metrics", f"{nightly.file}/a.prom"))
    assert code == Exit.WRONG
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2
    assert any(line.startswith("error: --metrics: the folder of ") for line in errors)
    code, _ = nightly.run(steps=(never,), extra=("--metrics", str(nightly.file.parent)))
    assert code == Exit.WRONG


def test_a_side_job_tells_how_it_ended_and_evaluate_what_it_measured(spark: SparkSession, tmp_path: Path) -> None:
    lake, file = Finished(spark), tmp_path / "e.prom"
    assert lake.ask(evaluate, "--metrics", str(file)) == Exit.WRONG
    assert parsed(file.read_text())["facesieve_exit_code", ""] == Exit.WRONG
    names = [SECRET, SECRET, f"{SECRET}ine", f"{SECRET}ine"]
    listing = [{"image_id": i, "uri": f"{name}/{i}.jpg", "identity": name} for i, name in enumerate(names)]
    faces = [{"image_id": i, "face_id": i, "face_rank": 0, "model": lake.model} for i in range(4)]
    clusters = [
        {"scope": "global", "face_id": i, "cluster_id": c, "cluster_size": s}
        for i, (c, s) in enumerate([(1, 3), (1, 3), (1, 3), (2, 1)])
    ]
    pairs = [("global", 0, 1), ("global", 0, 2), ("global", 1, 2), ("identity", 0, 1), ("global", 2, 99)]
    edges = [{"scope": scope, "src": src, "dst": dst, "cosine": 0.9} for scope, src, dst in pairs]
    rows = (
        (tables.LISTING, listing),
        (tables.EMBEDDINGS, faces),
        (tables.CLUSTERS, clusters),
        (tables.EDGES, edges),
    )
    lake.run("r1", {table.name: lake.put(table, each) for table, each in rows})
    assert lake.ask(evaluate, "--metrics", str(file)) == Exit.DONE
    assert SECRET not in file.read_text()
    samples = parsed(file.read_text())
    # Pairs in clusters: 3, of them 1 of one person; true pairs: 2.
    assert samples["facesieve_evaluation_pairwise_precision_ratio", "global"] == pytest.approx(1 / 3)
    assert samples["facesieve_evaluation_pairwise_recall_ratio", "global"] == pytest.approx(1 / 2)
    assert samples["facesieve_evaluation_compared_faces", "global"] == 4
    # Of four faces each: two edges join people, and each of these edges is met from both ends.
    assert samples["facesieve_evaluation_false_matches", "global"] == 1


def test_every_job_under_spark_has_the_argument(capsys: pytest.CaptureFixture[str]) -> None:
    for name, command in COMMANDS.items():
        with pytest.raises(SystemExit):
            command.work("", ["--help"], name)
        assert ("--metrics FILE" in capsys.readouterr().out) == command.needs_spark


def test_the_record_of_a_run_has_no_number_under_another_name() -> None:
    """The records that hold names (doubtful clusters, layouts) are not told."""
    record = RunRecord.from_json(
        {
            "stages": {
                "listing": {"layout": {"examples": {"zip": SECRET}}, "left_out": {SECRET: {SECRET: 1}}},
                "cluster": {"global": {"look_first": [{"cluster_id": 4711, "faces": 3}]}},
            },
            "warnings": [SECRET],
        }
    )
    text = text_of(metrics.of_run(record.stages, record.warnings), {"command": "sieve"})
    assert SECRET not in text
    assert "4711" not in text
    assert json.dumps(record.to_json()).count(SECRET) == 4
