"""A project's own tests as the reward: a candidate is a change of its files, and each test a part.

project → changes of a candidate → the tree without what steers the tests → runs in a sandbox → outcomes → reward.
"""
