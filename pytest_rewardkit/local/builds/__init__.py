"""Templates from the SDK's `Template.build`, as far as they consist of Python packages, files and variables."""
