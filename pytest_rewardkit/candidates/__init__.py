"""Answers of models: candidates with the cost of asking for them, kept on record and replayed."""
