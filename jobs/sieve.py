"""The whole pipeline, stage by stage; a stage whose result is in the lake already is reused.

    spark-submit --py-files dist/facesieve.zip jobs/sieve.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]

Started again, the same command goes on where it stopped, or says "up to date".
"""

import sys

from facesieve.cli import main
from facesieve.cluster.step import cluster
from facesieve.decide.step import decide
from facesieve.embed.step import embed
from facesieve.link.step import link
from facesieve.publish.step import publish

if __name__ == "__main__":
    sys.exit(main.main([embed, link, cluster, decide, publish], __doc__ or ""))
