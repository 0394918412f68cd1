"""Where tests run: what a test records, and what its failure says."""
