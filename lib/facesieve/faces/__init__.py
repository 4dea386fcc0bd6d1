"""What all later steps share of faces: vectors, hashing, blocks, groups of Arrow rows. Runs on executors."""
