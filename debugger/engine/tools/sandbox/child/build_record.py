"""Python's record of its own build, without the paths of the installation."""

build_time_vars = {"TZPATH": "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo"}
"""The standard library reads these alone: where the time zones are."""
