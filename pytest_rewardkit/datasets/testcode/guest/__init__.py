"""Code that runs inside sandboxes, sent there as text. It imports only the standard library and its own siblings."""
