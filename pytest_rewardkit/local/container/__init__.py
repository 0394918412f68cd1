"""The local server in a container of the user's engine, for machines that cannot run it directly. Runs anywhere."""
