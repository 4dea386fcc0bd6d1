"""Print the ledger, for people or as JSON: see `facesieve.cli.runs`. Changes nothing.

    spark-submit --py-files dist/facesieve.zip jobs/runs.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("runs"))
