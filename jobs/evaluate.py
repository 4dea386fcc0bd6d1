"""How well the clusters agree with identities: see `facesieve.verbs.evaluate`. Changes nothing.

    spark-submit --py-files dist/facesieve.zip jobs/evaluate.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--truth FILE] [--scope SCOPE] [--run NAME] [--json]
"""

import sys

from facesieve import runner
from facesieve.verbs.evaluate import add_arguments, evaluate

if __name__ == "__main__":
    sys.exit(runner.ask(evaluate, __doc__ or "", add_arguments))
