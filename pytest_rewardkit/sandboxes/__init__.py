"""Sandboxes from E2B's cloud, from a user's own cluster or from a local server, behind one protocol."""
