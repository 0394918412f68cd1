"""A project's own templates: packages in a separate environment that sandboxes are made from."""
