"""Many walks for one answer: compare, challenge, stress, and their statistics."""
