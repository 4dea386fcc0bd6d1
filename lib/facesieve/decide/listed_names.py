"""People that side tables name, in the spelling of the listing: for a run that unites names which meet.

With `images.same_names = "unite"` nobody needs to know which of several spellings stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import broadcast_if_few
from facesieve.embed.same_names import folds


def listed_names(names: Collection[str], images: DataFrame) -> Mapping[str, str]:
    """Return of `names` those that an identity meets (in Unicode form, blanks, letter case), and that identity.

    images: a frame with the column identity, of which no two meet. A name that an image bears as it is written is not
    in the answer.
    """
    if not names:
        return {}
    fold = F.udf(lambda name: folds(name)[2], "string")
    rows = [(name, folds(name)[2]) for name in names]
    wanted = broadcast_if_few(images.sparkSession.createDataFrame(rows, "name string, folded string"), len(rows))
    identities = images.select("identity").where("identity IS NOT NULL").distinct()
    meeting = identities.withColumn("folded", fold("identity")).join(wanted, "folded", how="inner")
    return {row["name"]: row["identity"] for row in meeting.where("name <> identity").collect()}
