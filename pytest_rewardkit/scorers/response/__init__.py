"""The candidate out of a model's response."""
