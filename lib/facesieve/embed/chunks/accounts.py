"""What came back from the workers for one chunk of images."""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.embed.chunks.vectors import is_scaled
from facesieve.embed.embeddings import Outcomes, is_unread


class Accounts(NamedTuple):
    """How many images were unread, and how many vectors were scaled."""

    unread: int = 0
    scaled: int = 0

    def plus(self, other: Accounts) -> Accounts:
        """Add those of another chunk."""
        return Accounts(self.unread + other.unread, self.scaled + other.scaled)


def accounts(sent: int, outcomes: Outcomes) -> Accounts:
    """Check that all images of a chunk came back from the workers."""
    counts = F.count_distinct("uri"), F.count_if(is_unread()), F.count_if(is_scaled())
    returned, unread, scaled = outcomes.agg(*counts).collect()[0]
    if sent != returned:
        raise InvariantError(f"embed: {sent} images were given to the workers, {returned} came back")
    return Accounts(int(unread), int(scaled))
