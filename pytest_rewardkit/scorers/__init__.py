"""Scorers: each takes a sandbox and a candidate and returns a reward."""
