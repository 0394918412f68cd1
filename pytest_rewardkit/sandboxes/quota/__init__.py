"""Bounds on sandboxes alive at once and on creations per second, over all processes of this user."""
