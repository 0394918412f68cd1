"""Where sandboxes come from: E2B's cloud (or a cluster of one's own) or a local server, behind one protocol."""
