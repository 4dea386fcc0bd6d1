"""The export `crops`: aligned faces of the model's size, a folder for each identity, as trainers of such models read.

Source of the layout: davidsandberg/facenet, `align_dataset_mtcnn` (<identity>/<file>.png), which InsightFace's packing
of folders reads as well.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.exports import cleared
from facesieve.publish.file_names import crop
from facesieve.publish.folder_export import copy_into
from facesieve.publish.folder_paths import placed
from facesieve.publish.pictures import Pictures


def export_crops(
    cleaned: Cleaned, crops: Pictures, suffix: str, target: Storage, edition: str = "", split: Column | None = None
) -> int:
    """Write the aligned faces below `target` (the run's folder) to crops/<identity>/<file>; return the rows.

    Each face is a file of its own, named for its image, with the suffix `suffix`. What comes with the files, and what
    is raised, is as for `export_folders`.
    """
    name = F.udf(lambda uri: crop(uri, suffix), "string")
    paths = placed(cleaned, name("uri"), "face_id", split)
    return copy_into(cleared(target, "crops"), paths, crops, edition)
