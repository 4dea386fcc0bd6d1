"""The tables: catalog, Iceberg, versions, runs, ledger, session. The only room that touches tables."""
