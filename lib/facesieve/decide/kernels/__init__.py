"""Arrays in, arrays out: membership, duplicates, nearest faces, overlap."""
