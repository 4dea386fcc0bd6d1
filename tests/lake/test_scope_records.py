"""What an older ledger holds of a scope is read."""

from __future__ import annotations

from facesieve.lake.scope_records import ScopeRecord

OLD = {"supersteps": 2, "unsettled": [5, 0], "settled": True, "clusters": 4, "largest_share": 0.5, "churn": None}


def test_a_scope_of_before_there_were_coins_is_read_and_written_without_them() -> None:
    record = ScopeRecord.from_json(OLD)
    assert (record.coins, record.unsettled_coins, record.unstable, record.loose) == (None, None, None, None)
    assert record.look_first is None
    assert not {"coins", "unsettled_coins", "unstable", "loose", "look_first"} & record.to_json().keys()
    assert record.to_json() | OLD == record.to_json()


def test_attachment_is_flat_in_json() -> None:
    record = ScopeRecord.from_json({"attached": 3, "pi0": 0.5, "null": 40})
    assert record.attachment is not None
    assert (record.attachment.attached, record.attachment.null_faces) == (3, 40)
    assert {"attached": 3, "null": 40}.items() <= record.to_json().items()
