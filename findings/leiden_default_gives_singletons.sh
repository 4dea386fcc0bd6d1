#!/usr/bin/env bash
# igraph's Leiden clustering, called with weights and nothing else, leaves every face of a cosine graph alone.
#
# Expected   Two people with six photographs each, cosine 0.7 within and one edge of 0.4 between: two clusters of six,
#            as modularity, Infomap and label propagation of the same package give.
# Observed   community_leiden(weights=...) gives twelve clusters of one face. Its default objective is the constant
#            Potts model with resolution 1. An edge below 1 then never pays for a merger, and cosines are below 1.
# Versions   igraph 1.0.0 (Python), Python 3.11
# Source     https://python.igraph.org/en/stable/api/igraph.Graph.html#community_leiden (defaults objective_function
#            "CPM", resolution 1); Traag, Van Dooren and Nesterov 2011 for the model.
# For users  Comparisons with Leiden need objective_function="modularity" or a resolution below the cosines.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check igraph==1.0.0
cat > "$work/try.py" <<'PY'
import igraph

faces = igraph.Graph.Full(6) + igraph.Graph.Full(6)
faces.add_edge(0, 6)
cosines = [0.7] * 30 + [0.4]
print("Leiden, defaults:", sorted(faces.community_leiden(weights=cosines).sizes()))
print("Leiden, resolution 0.5:", sorted(faces.community_leiden(weights=cosines, resolution=0.5).sizes()))
print("Leiden, modularity:", sorted(faces.community_leiden(weights=cosines, objective_function="modularity").sizes()))
print("Infomap:", sorted(faces.community_infomap(edge_weights=cosines).sizes()))
PY
"$work/env/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
Leiden, defaults: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
Leiden, resolution 0.5: [6, 6]
Leiden, modularity: [6, 6]
Infomap: [6, 6]
SEEN
echo "As described."
