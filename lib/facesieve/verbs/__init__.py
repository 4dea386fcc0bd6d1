"""The five verbs of the pipeline, each one stage or two of a run: what `jobs/` calls.

They live in the package, not in `jobs/`, so that `jobs/sieve.py` can run all five when only that one file is shipped.
"""
