"""Where images and vectors come from: sources, the walk, storage, and the tables that people give."""
