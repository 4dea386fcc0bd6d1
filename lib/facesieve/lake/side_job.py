"""What a job beside the steps works with: a lake and its ledger. It needs no model, and most need no images."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from pyspark.sql import SparkSession

from facesieve.core.config import Config
from facesieve.lake.catalog import Lake
from facesieve.lake.ledger import Ledger

_log = logging.getLogger(__name__)


@dataclass
class SideJob:
    """Everything a side job is told. It is no run: it has no row of its own in the ledger."""

    config: Config
    spark: SparkSession
    lake: Lake
    ledger: Ledger
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Print a warning now, and keep it for the answer."""
        _log.warning(text)
        self.warnings.append(text)
