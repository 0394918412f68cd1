"""The sources of the figures in README and docs: `python -m benchmarks.NAME`, one command each."""
