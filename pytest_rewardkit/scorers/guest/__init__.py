"""Code sent into the candidate's interpreter. Standard library only."""
