"""Panels of the page Suites."""
