"""Logs and traces for operators: the request and the run that a line or a span belongs to."""
