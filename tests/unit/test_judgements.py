"""Whatever a candidate gives ends in a reward. tests/fuzz makes the draws, and runs as many as wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fuzz import judgements
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from pytest_rewardkit import Part


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", sorted(set(judgements.KINDS), key=lambda kind: kind.__name__))
def test_whatever_a_candidate_gives_ends_in_a_reward(kind: Callable[[random.Random], list[Part]]) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.randoms(use_true_random=False))
    def ends(draw: random.Random) -> None:
        judgements.judged(draw, kind)

    ends()
