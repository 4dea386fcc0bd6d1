"""facesieve finds the people in a heap of face images and cleans face-recognition data sets, on Apache Spark.

Six nouns are tables and stage modules, five verbs are jobs:

    images -embed-> embeddings -link-> edges -cluster-> clusters -decide-> decisions -publish-> cleaned
"""

__version__ = "0.4.0"
