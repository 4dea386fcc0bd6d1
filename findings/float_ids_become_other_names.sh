#!/usr/bin/env bash
# A column of numbers with one gap gives people other names, and the reader decides which ones.
#
# Expected   Person 123456789012 has one name as text, whichever program reads the Parquet file.
# Observed   pandas stores whole numbers with a gap as float64. As text, pyarrow then writes 1001 and 1.23456789012e+11;
#            Polars and DuckDB write 1001.0 and 123456789012.0. So one file has two sets of names.
# Versions   pandas 2.3.3, pyarrow 22.0.0, polars 1.35.2, duckdb 1.4.2, Python 3.11
# Source     https://pandas.pydata.org/docs/user_guide/integer_na.html (a gap makes integers float);
#            https://arrow.apache.org/docs/cpp/compute.html#conversions (no word on how numbers are written)
# For users  Store people's numbers as text, or as Int64 of pandas, before they become names of folders or identities.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pandas==2.3.3 pyarrow==22.0.0 polars==1.35.2 duckdb==1.4.2
cat > "$work/try.py" <<'PY'
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

people = pd.DataFrame({"file": ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], "person": [1001, 123456789012, 7, None]})
people.to_parquet("people.parquet")
print("stored as:", pq.read_schema("people.parquet").field("person").type)
print("pyarrow:", pq.read_table("people.parquet")["person"].cast(pa.string()).to_pylist())
print("Polars: ", pl.read_parquet("people.parquet")["person"].cast(pl.String).to_list())
print("DuckDB: ", [row[0] for row in duckdb.sql("SELECT person::VARCHAR FROM 'people.parquet'").fetchall()])
people.astype({"person": "Int64"}).to_parquet("whole.parquet")
print("Int64:  ", pq.read_table("whole.parquet")["person"].cast(pa.string()).to_pylist())
PY
(cd "$work" && env/bin/python -W ignore try.py) | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
stored as: double
pyarrow: ['1001', '1.23456789012e+11', '7', None]
Polars:  ['1001.0', '123456789012.0', '7.0', None]
DuckDB:  ['1001.0', '123456789012.0', '7.0', None]
Int64:   ['1001', '123456789012', '7', None]
SEEN
echo "As described."
