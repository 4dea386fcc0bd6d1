"""One stage of the pipeline: see `facesieve.verbs.embed`.

    spark-submit --py-files dist/facesieve.zip jobs/embed.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve import runner
from facesieve.verbs.embed import embed

if __name__ == "__main__":
    sys.exit(runner.main([embed], __doc__ or ""))
