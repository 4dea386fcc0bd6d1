"""How well the clusters agree with identities: see `facesieve.assess.evaluate`. Changes nothing.

    spark-submit --py-files dist/facesieve.zip jobs/evaluate.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--truth FILE] [--scope SCOPE] [--run NAME] [--json]
"""

import sys

from facesieve.assess.evaluate import add_arguments, evaluate
from facesieve.cli import main

if __name__ == "__main__":
    sys.exit(main.ask(evaluate, __doc__ or "", add_arguments))
