"""A project's own tests as the reward: a candidate changes its files, and each test is a part.

project → changes of a candidate → the tree without what steers the tests → runs in a sandbox → outcomes → reward.
"""
