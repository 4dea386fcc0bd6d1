"""What a model is (form, tensors, sizes, digest), with a profile to paste; of a profile: whether its files are right.

    python jobs/describe.py MODEL [--json]
    spark-submit --py-files dist/facesieve.zip jobs/describe.py MODEL [--json]

MODEL is a file, a directory, the name of a profile (conf/models/NAME.toml) or the path of one. Needs no Spark.
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("describe"))
