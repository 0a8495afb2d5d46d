"""The words on the wire: shapes only. Unknown fields and unknown types survive a round trip."""
