"""Where tests run: what an attempt records, and what its failure says."""
