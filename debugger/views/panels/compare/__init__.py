"""The panes of the page Compare."""
