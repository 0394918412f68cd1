"""Candidates in other languages than Python: what builds and runs them, and how they are run."""
