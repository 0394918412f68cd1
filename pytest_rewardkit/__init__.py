"""Rewards for model-written code, as a pytest plugin."""
