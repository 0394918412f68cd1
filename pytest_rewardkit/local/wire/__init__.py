"""Frames, answers and pipes between the server and what runs in sandboxes."""
