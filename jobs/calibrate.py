"""What a model's cosines mean, measured on labelled folders: see `facesieve.verbs.calibrate`.

    spark-submit --py-files dist/facesieve.zip jobs/calibrate.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... --out PROFILE.toml --svg FILE [--run NAME] [--json]
"""

import sys

from facesieve import runner
from facesieve.verbs.calibrate import add_arguments, calibrate

if __name__ == "__main__":
    sys.exit(runner.ask(calibrate, __doc__ or "", add_arguments))
