"""Erasure: one subject leaves every table, every version, every export and the scratch folder, and that is proved.

It stands above the steps, since it must undo what each of them has written: packed faces of link, medoids and ids of
cluster, files of publish. Beside `lake` it is the one room that knows the files of Iceberg. Every part can be repeated
with the same result, so a killed erasure is simply done again.
"""
