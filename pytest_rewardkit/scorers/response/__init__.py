"""Takes the candidate out of a model's response."""
