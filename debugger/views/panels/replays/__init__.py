"""The panes of the page Replay."""
