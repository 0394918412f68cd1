"""What runs inside a sandbox, and the fork server that makes sandboxes."""
