#!/usr/bin/env bash
# The Spark operator's published models pass over misspelt keys of a manifest, and take any word for a policy.
#
# Expected   A schedule with `concurencyPolicy` is refused by the models that are made of the operator's own schema.
# Observed   `from_dict` succeeds, and the key is gone: two runs may overlap. `Forbit` stays, though three words are
#            allowed. A wrong type is refused. Only writing the object out again and comparing shows what was lost.
# Versions   kubeflow-spark-api 2.4.0, pydantic 2.14.3, Python 3.11
# Source     https://www.kubeflow.org/docs/components/spark-operator/user-guide/running-sparkapplication-on-schedule/
#            (Allow, Forbid and Replace are the policies; the models' text says nothing of unknown keys)
# For users  Compare what `to_dict` gives with the manifest, key by key, before a schedule goes to the cluster.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check kubeflow-spark-api==2.4.0 pydantic==2.14.3
cat > "$work/try.py" <<'PY'
from kubeflow_spark_api.models import SparkV1beta2ScheduledSparkApplication as Scheduled

application = {
    "type": "Python",
    "mode": "cluster",
    "mainApplicationFile": "local:///job.py",
    "sparkVersion": "3.5.9",
    "restartPolicy": {"type": "Never"},
    "driver": {},
    "executor": {},
}


def schedule(**keys: object) -> dict[str, object]:
    spec = {"schedule": "0 2 * * *", "template": application, **keys}
    return {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "ScheduledSparkApplication", "metadata": {}, "spec": spec}


def taken(manifest: dict[str, object]) -> object:
    try:
        spec = Scheduled.from_dict(manifest).to_dict()["spec"]
    except ValueError as problem:
        return type(problem).__name__
    return {key: value for key, value in spec.items() if key not in ("schedule", "template")}


print("as it should be:", taken(schedule(concurrencyPolicy="Forbid")))
print("a letter short: ", taken(schedule(concurencyPolicy="Forbid")))
print("no such policy: ", taken(schedule(concurrencyPolicy="Forbit")))
print("a wrong type:   ", taken(schedule(successfulRunHistoryLimit="three")))
PY
(cd "$work" && env/bin/python try.py) | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
as it should be: {'concurrencyPolicy': 'Forbid'}
a letter short:  {}
no such policy:  {'concurrencyPolicy': 'Forbit'}
a wrong type:    ValidationError
SEEN
echo "As described."
