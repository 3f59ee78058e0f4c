"""Keys: who sends, from where, and how much."""
