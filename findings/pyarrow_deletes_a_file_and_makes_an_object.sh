#!/usr/bin/env bash
# Deleting the last object below a prefix of S3 through pyarrow makes a new object, named after the folder.
#
# Expected   A bucket has no folders. `delete_file` of the only object below `people/ann/` leaves no key with `ann`.
# Observed   The file system then writes an empty object `people/ann/`, which nobody has made before, so that the folder
#            goes on to be there. `delete_dir` of the folder removes that object, and writes `people/` if need be.
# Versions   pyarrow 26.0.1, moto 5.2.5 as the store, Python 3.11
# Source     https://arrow.apache.org/docs/python/generated/pyarrow.fs.S3FileSystem.html says of the empty objects only
#            that `create_dir` makes them.
# For users  Where a folder bears the name of a person, deleting the person's pictures leaves the name in the bucket.
#            Delete the folder too, and look at the keys with a client of S3: a list of files does not show them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 'moto[server]==5.2.5' boto3==1.44.8
cat > "$work/try.py" <<'PY'
import logging

import boto3
from moto.server import ThreadedMotoServer
from pyarrow import fs

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
login = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **login)
client.create_bucket(Bucket="faces")
for key in ("people/ann/1.jpg", "people/bob/1.jpg"):
    client.put_object(Bucket="faces", Key=key, Body=b"picture")


def keys():
    return [each["Key"] for each in client.list_objects_v2(Bucket="faces")["Contents"]]


store = fs.S3FileSystem(endpoint_override=f"{host}:{port}", scheme="http", access_key="key", secret_key="secret", region="us-east-1")
print("before:", keys())
store.delete_file("faces/people/ann/1.jpg")
print("after delete_file:", keys())
print("a list of files:", [each.path for each in store.get_file_info(fs.FileSelector("faces", recursive=True)) if each.is_file])
store.delete_dir("faces/people/ann")
print("after delete_dir:", keys())
server.stop()
PY
seen=$("$work/env/bin/python" "$work/try.py" 2>/dev/null)
echo "$seen"
expected="before: ['people/ann/1.jpg', 'people/bob/1.jpg']
after delete_file: ['people/ann/', 'people/bob/1.jpg']
a list of files: ['faces/people/bob/1.jpg']
after delete_dir: ['people/', 'people/bob/1.jpg']"
test "$seen" = "$expected" || { echo "The behaviour has changed."; exit 1; }
