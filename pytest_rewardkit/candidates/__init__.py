"""What models gave: candidates with what they took to ask for, kept on record and replayed."""
