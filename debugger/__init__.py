"""Step conversational AI workflows turn by turn, on the hosted API or on an embedded engine."""
