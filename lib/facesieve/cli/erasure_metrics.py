"""What monitoring is told of an erasure: how much went, how much was searched, and what was found. Counts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facesieve.cli.exposition import Metric, gauge


def of_erasure(record: Mapping[str, Any]) -> Sequence[Metric]:
    """Return the figures of an erasure's record, or of what is known of one whose proof found something."""
    applied, proof = bool(record.get("applied")), record.get("proof")
    images = record.get("images")
    return [
        gauge("facesieve_erasure_chosen_images", "Images that the subject has.", images),
        gauge("facesieve_erased_images", "Images that were erased; 0 in a dry run.", images if applied else 0),
        gauge("facesieve_erasure_searched_files", "Files that the proof read.", _files(proof)),
        gauge("facesieve_erasure_searched_bytes", "Bytes that the proof read.", _looked(proof, "bytes")),
        gauge("facesieve_erasure_findings", "Files in which the subject still is.", _findings(proof)),
    ]


def _looked(proof: Mapping[str, Any] | None, what: str) -> Any:
    return proof["looked_at"][what] if proof else None


def _files(proof: Mapping[str, Any] | None) -> int | None:
    return sum(_looked(proof, "files").values()) if proof else None


def _findings(proof: Mapping[str, Any] | None) -> int | None:
    return len(proof["found"]) if proof else None
