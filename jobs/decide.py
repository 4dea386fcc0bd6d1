"""One stage of the pipeline: see `facesieve.verbs.decide`.

    spark-submit --py-files dist/facesieve.zip jobs/decide.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve import runner
from facesieve.verbs.decide import decide

if __name__ == "__main__":
    sys.exit(runner.main([decide], __doc__ or ""))
