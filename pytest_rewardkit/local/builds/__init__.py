"""Templates that the SDK's `Template.build` describes, as far as they are Python packages, files and variables."""
