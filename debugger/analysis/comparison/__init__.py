"""Two runs side by side: what is the same in them, and where and in what they part."""
