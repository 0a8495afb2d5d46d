"""Wire shapes. Unknown fields and unknown types survive a round trip."""
