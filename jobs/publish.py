"""One stage of the pipeline: see `facesieve.verbs.publish`.

    spark-submit --py-files dist/facesieve.zip jobs/publish.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve import runner
from facesieve.verbs.publish import publish

if __name__ == "__main__":
    sys.exit(runner.main([publish], __doc__ or ""))
