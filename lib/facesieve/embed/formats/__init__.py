"""What the formats of pictures need beyond Pillow: packages, headers, colour profiles."""
