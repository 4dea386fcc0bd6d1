from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import odd_tree
import pytest


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """Six images in odd places, and five other things."""
    with odd_tree.planted(tmp_path) as root:
        yield root
