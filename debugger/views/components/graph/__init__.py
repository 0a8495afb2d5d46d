"""The workflow as a graph that can be looked at and chosen from."""
