"""What a run tells: pure functions over its turns and its workflow, for every backend alike."""
