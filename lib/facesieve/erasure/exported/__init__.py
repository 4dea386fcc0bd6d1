"""Files of exports without a subject: a manifest, and by form the shards that it names.

Names and numbers of files and samples stay, so that what is not touched stays to the bit. A file is written whole or
not at all, and is read as it stands, so that a killed erasure can do the same again.
"""
