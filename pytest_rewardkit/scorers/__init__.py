"""Scorers: a sandbox and a candidate in, a reward out."""
