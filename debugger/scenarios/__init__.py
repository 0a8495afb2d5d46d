"""Scenarios: conversations with expectations, run and checked without the page."""
