"""Replays: recorded runs on another version of their workflow, with the answers that were recorded."""
