"""The nodes that ask a model."""
