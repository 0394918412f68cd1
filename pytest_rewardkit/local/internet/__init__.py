"""The internet for sandboxes: connections are taken over at their border, checked, and passed on from outside."""
