"""One stage of the pipeline: see `facesieve.decide.step`.

    spark-submit --py-files dist/facesieve.zip jobs/decide.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]
"""

import sys

from facesieve.cli import main
from facesieve.decide.step import decide

if __name__ == "__main__":
    sys.exit(main.main([decide], __doc__ or ""))
