"""How many sandboxes there may be at once, and how many may be created a second, over all processes of this user."""
