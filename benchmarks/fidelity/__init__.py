"""Compares the local interpreter with a real ipykernel, cell by cell."""
