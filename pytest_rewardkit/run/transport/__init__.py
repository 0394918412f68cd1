"""Carries records from the processes that run tests to the process where results end."""
