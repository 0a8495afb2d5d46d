"""Scenarios on the page: saved from a run, opened as a session, checked beside it."""
