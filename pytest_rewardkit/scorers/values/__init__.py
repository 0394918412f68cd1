"""Values, texts and tables, compared on the host. Pure."""
