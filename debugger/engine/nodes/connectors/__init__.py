"""The nodes that reach a person or a service which only the platform is connected to."""
