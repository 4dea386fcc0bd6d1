"""Packed exports, made anew for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from packed_exports import packed_exports

from facesieve.images.storage import Storage


@pytest.fixture
def target(tmp_path: Path) -> Storage:
    target = Storage(str(tmp_path))
    packed_exports(target)
    return target
