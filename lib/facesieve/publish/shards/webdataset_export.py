"""The export `webdataset`: tar shards of samples, for readers that go through them from beginning to end."""

from __future__ import annotations

from pyspark.sql import functions as F

from facesieve.images.storage import Storage
from facesieve.publish.exports import cleared, complete
from facesieve.publish.shards.exporting import Export, write_manifest, write_samples
from facesieve.publish.shards.tar import TarForm

_PICTURE = "jpg"
"""The suffix of every picture, whatever its format: readers ask for one suffix, and look into the content."""


def export_webdataset(export: Export, target: Storage) -> int:
    """Write the images below `target` (the run's folder) as webdataset/%06d.tar; return the rows of the table.

    With splits they are webdataset/<split>/%06d.tar. A sample is NUMBER.jpg, the image file as it is, NUMBER.cls and
    NUMBER.json. With them come manifest.csv and _SUCCESS. Raises ContractError if files vanished or changed.
    """
    folder = cleared(target, "webdataset")
    rows = export.numbered()
    shard = F.format_string("%06d.tar", "shard")
    path = shard if export.layout.split is None else F.concat_ws("/", "split", shard)
    write_samples(rows, path, export, TarForm(export.suffix or _PICTURE), folder)
    written = write_manifest(rows, path, folder)
    rows.unpersist()
    complete(folder, export.edition)
    return written
