"""Projections of a run: functions and folds over its events."""
