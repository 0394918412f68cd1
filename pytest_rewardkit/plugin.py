"""The pytest entry point: options, markers, hook specifications, role objects."""
