"""What a model's cosines mean, measured on labelled folders: see `facesieve.assess.calibrate`.

    spark-submit --py-files dist/facesieve.zip jobs/calibrate.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... --out PROFILE.toml --svg FILE [--run NAME] [--json]
"""

import sys

from facesieve.cli.commands import run

if __name__ == "__main__":
    sys.exit(run("calibrate"))
