"""The local interpreter held against a real ipykernel, cell by cell."""
