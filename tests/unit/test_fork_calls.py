"""The fork hooks of modules, collected during their import."""

import os
import random

import pytest

from pytest_rewardkit.local.guest.fork_calls import ForkCalls


@pytest.fixture
def registered(monkeypatch):
    """The hooks that reached Python itself."""
    taken = []
    monkeypatch.setattr(os, "register_at_fork", lambda **calls: taken.append(calls))
    return taken


def test_what_is_gathered_is_done_in_children_alone(registered):
    gathered, done = ForkCalls(), []
    os.register_at_fork(before=lambda: done.append("before"), after_in_child=lambda: done.append("first"))
    os.register_at_fork(after_in_parent=lambda: done.append("parent"))
    os.register_at_fork(after_in_child=lambda: done.append("second"))
    gathered.in_child()
    assert done == ["first", "second"]
    assert not registered


def test_a_call_that_fails_keeps_no_other_from_being_done(registered):
    gathered, done = ForkCalls(), []
    os.register_at_fork(after_in_child=lambda: 1 / 0)
    os.register_at_fork(after_in_child=lambda: done.append("next"))
    gathered.in_child()
    assert done == ["next"]
    assert not registered


def test_python_does_all_of_it_once_it_is_handed_over(registered):
    original = os.register_at_fork
    gathered = ForkCalls()
    os.register_at_fork(before=print, after_in_parent=repr)
    gathered.register_no_more()
    assert os.register_at_fork is original
    os.register_at_fork(after_in_child=random.seed)
    gathered.hand_over()
    assert registered == [{"after_in_child": random.seed}, {"before": print, "after_in_parent": repr}]
