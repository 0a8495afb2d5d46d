"""Exports of runs; a new format is a line in `formats.EXPORTS`."""
