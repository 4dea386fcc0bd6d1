"""Numbers of records in packs: bytes in, numbers out."""
