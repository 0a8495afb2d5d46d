"""The platform's shapes, as answers have them (``platform/wire.md``)."""
