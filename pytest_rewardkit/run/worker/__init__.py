"""The processes that run tests: what a test records, and what its failure says."""
