"""The internet for sandboxes: connections are taken over at the sandbox's border, checked, and continued outside."""
