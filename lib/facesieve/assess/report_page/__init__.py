"""report: a folder with one static page of a finished run, its data files, and pictures where they are asked for."""
