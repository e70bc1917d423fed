"""What happened, and everybody outside who wanted to hear of it."""
