"""Help: topics from the documents of the package, and facts about this installation."""
