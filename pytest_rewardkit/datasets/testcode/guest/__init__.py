"""Code that runs inside sandboxes, sent there as text: it imports the standard library and its own siblings only."""
