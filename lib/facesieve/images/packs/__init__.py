"""Sources that hold many images in one file."""
