"""Reports of suite runs as files."""
