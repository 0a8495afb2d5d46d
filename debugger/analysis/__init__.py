"""Projections of a run: pure functions and folds over its turns and its workflow."""
