"""The whole pipeline, stage by stage; a stage whose result is in the lake already is reused.

    spark-submit --py-files dist/facesieve.zip jobs/sieve.py --config conf/pipeline.toml \
        [--overlay FILE]... [--set section.key=value]... [--run NAME] [--full] [--json]

Started again, the same command goes on where it stopped, or says "up to date".
"""

import sys

from facesieve import runner
from facesieve.verbs.cluster import cluster
from facesieve.verbs.decide import decide
from facesieve.verbs.embed import embed
from facesieve.verbs.link import link
from facesieve.verbs.publish import publish

if __name__ == "__main__":
    sys.exit(runner.main([embed, link, cluster, decide, publish], __doc__ or ""))
