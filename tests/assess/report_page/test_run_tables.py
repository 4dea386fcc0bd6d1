"""Which run is reported, which was before it, and a lake of another version."""

from __future__ import annotations

import pytest
from reported import FIRST, SECOND, Reported

from facesieve.assess.report_page.run_tables import RunTables, run_before, run_tables
from facesieve.core import tables
from facesieve.core.errors import ConfigError, ContractError
from facesieve.lake.side_job import SideJob


def test_the_newest_run_the_one_before_it_and_none_before_the_first(job: SideJob, run: RunTables) -> None:
    before = run_before(job, run)
    assert (run.run, before and before.run) == (SECOND, FIRST)
    assert run_before(job, run_tables(job, FIRST)) is None


def test_scopes_and_link_cosines_are_those_of_the_ledger(run: RunTables) -> None:
    assert run.scopes == ["identity", "global"]
    assert [run.link_cosine(scope) for scope in run.scopes] == [0.4, 0.5]


def test_a_run_that_was_undone_or_left_no_decisions_is_told(job: SideJob, world: Reported) -> None:
    world.place.run("gone", {}, status="undone")
    world.place.run("half", {"listing": world.place.lake.snapshot(tables.LISTING).id}, status="failed")
    for name, status in (("gone", "undone"), ("half", "failed")):
        with pytest.raises(ConfigError, match=f"no finished run of this lake is named {name}: its status is {status}"):
            run_tables(job, name)


def test_a_table_of_another_version_is_named(run: RunTables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "differences", lambda table, schema: [f"{table.name}.verdict is bigint"])
    with pytest.raises(ContractError, match=r"the lake is of another version: decisions\.verdict is bigint\. Make"):
        _ = run.decisions
