"""Erasure: one subject leaves every table, every version, every export and the scratch folder, and that is proved.

It stands above the steps, since it must undo what each of them has written: packed faces of link, medoids and ids of
cluster, files of publish. It is also the one room beside `lake` that knows Iceberg's files. Every part can be repeated with the same result, so a killed erasure is simply done again.
"""
