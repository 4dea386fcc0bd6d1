"""How well the clusters agree with identities: see `facesieve.assess.evaluate`. Changes nothing.

    spark-submit --py-files dist/facesieve.zip jobs/evaluate.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--truth FILE] [--scope SCOPE] [--run NAME] [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("evaluate"))
