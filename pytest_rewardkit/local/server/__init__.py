"""The server's process: sandboxes, what runs in them, and where they come from."""
