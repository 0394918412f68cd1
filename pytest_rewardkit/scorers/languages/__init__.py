"""Candidates in languages other than Python: what builds and runs them, and how they are run."""
