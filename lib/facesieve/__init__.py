"""facesieve finds the people in a collection of face images and cleans face-recognition data sets, on Apache Spark.

Five steps make six tables, each step in a package of its own:

    images -embed-> embeddings -link-> edges -cluster-> clusters -decide-> decisions -publish-> cleaned
"""

from facesieve.core.zip_imports import keep_zip_directories

__version__ = "0.6.0"

keep_zip_directories()
