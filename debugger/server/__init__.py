"""The hosted API's URLs, served from any backend."""
