"""Products as people and programs manage them, one by one and in lists."""
