#!/usr/bin/env bash
# How many bytes one asks for decides whether pyarrow tells that access was denied.
#
# Expected   A store refuses a GET with status 403 and the code AccessDenied in an XML body. The error of
#            pyarrow.fs.S3FileSystem names the code, whatever part of the object was asked for.
# Observed   Where fewer bytes are asked for than the XML has, status and code are gone. The error says that the
#            response stream failed, as it does for a broken connection. A program that tells the two apart waits and
#            tries again, for access that will never come. Thumbnails and footers are such small reads.
# Versions   pyarrow 26.0.1, Python 3.11
# Source     https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: an error has the code in its body.
# For users  Do not judge by a small read. Ask for a longer range, or for the attributes of the object, to learn why.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
cat > "$work/try.py" <<'PY'
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pyarrow import fs

REFUSAL = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
SIZE = 4_000


class Store(BaseHTTPRequestHandler):
    """Tells the size of any object, and refuses its bytes."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.send_header("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(REFUSAL)))
        self.end_headers()
        self.wfile.write(REFUSAL)

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"127.0.0.1:{server.server_port}"
store = fs.S3FileSystem(access_key="k", secret_key="s", endpoint_override=address, scheme="http", region="eu-west-1")
for asked in (SIZE, 200, 50, 1):
    with store.open_input_file("bucket/a.jpg") as file:
        try:
            file.read_at(asked, 0)
        except OSError as problem:
            words = str(problem)
            code = re.search(r"AWS Error (\w+)", words)
            print(f"{asked} bytes asked: {code and code[1]}, response stream: {'response stream' in words}")
server.shutdown()
PY
AWS_EC2_METADATA_DISABLED=true "$work/env/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
4000 bytes asked: ACCESS_DENIED, response stream: False
200 bytes asked: ACCESS_DENIED, response stream: False
50 bytes asked: INTERNAL_FAILURE, response stream: True
1 bytes asked: INTERNAL_FAILURE, response stream: True
SEEN
echo "As described."
