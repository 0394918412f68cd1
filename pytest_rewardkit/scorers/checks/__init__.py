"""Checks of a candidate, as values, and their results. Pure."""
