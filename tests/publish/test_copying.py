"""What tasks count, and what is said of pictures that are not what they were."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pyspark.sql import Row

from facesieve.core.errors import ContractError
from facesieve.publish.copying import Tallies, copied, tally


class Counted:
    """What Spark gives of tasks that have run."""

    def __init__(self, *problems: list[str | None]) -> None:
        self.rows: list[Any] = [Row(**row) for each in problems for row in tally(each).to_pylist()]

    def collect(self) -> list[Any]:
        return self.rows


def test_files_are_added_up_and_a_spoilt_one_is_named() -> None:
    assert copied(cast(Tallies, Counted([None, None], [], [None]))) == 3
    with pytest.raises(ContractError, match=r"2 of 3 image files are not as .* \(one of them a has changed\)"):
        copied(cast(Tallies, Counted([None, "b cannot be read"], ["a has changed"])))
