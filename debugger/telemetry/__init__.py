"""Logs, traces and counters for operators."""
