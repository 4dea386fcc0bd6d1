"""What is told of an erasure: counts, also where the proof found something; in a dry run nothing was searched."""

from __future__ import annotations

from facesieve.cli.erasure_metrics import of_erasure


def told(record: dict[str, object]) -> dict[str, float]:
    return {metric.name.removeprefix("facesieve_"): metric.values[()] for metric in of_erasure(record) if metric.values}


def test_an_erasure_tells_what_went_and_what_was_searched() -> None:
    proof = {"looked_at": {"files": {"parquet": 3, "bytes": 4}, "bytes": 700}, "found": [{"file": "zebulon"}]}
    assert told({"applied": True, "images": 5, "proof": proof}) == {
        "erasure_chosen_images": 5,
        "erased_images": 5,
        "erasure_searched_files": 7,
        "erasure_searched_bytes": 700,
        "erasure_findings": 1,
    }


def test_a_dry_run_has_erased_and_searched_nothing() -> None:
    assert told({"applied": False, "images": 5}) == {"erasure_chosen_images": 5, "erased_images": 0}
