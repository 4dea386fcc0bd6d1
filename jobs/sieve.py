"""The whole pipeline, step by step; a step whose result is in the lake already is reused.

    spark-submit --py-files dist/facesieve.zip jobs/sieve.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]

Started again, the same command goes on where it stopped, or says "up to date".
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("sieve"))
