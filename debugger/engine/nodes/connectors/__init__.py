"""Connectors: nodes that reach a service or a person by one call."""
