"""Open days: planned and changed, and run at the door."""
