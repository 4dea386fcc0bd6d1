"""What every room may use: errors, reasons, ids, configuration, profiles, table schemas. No Spark session, no files."""
