"""facesieve finds the people in a collection of face images and cleans face-recognition data sets, on Apache Spark.

Five steps make six tables, each step in a package of its own:

    images -embed-> embeddings -link-> edges -cluster-> clusters -decide-> decisions -publish-> cleaned
"""

__version__ = "0.6.0"
