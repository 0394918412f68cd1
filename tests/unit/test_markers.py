import math

import pytest

from pytest_rewardkit import RewardkitUsageError
from pytest_rewardkit.markers import RewardMarker, reward_marker


def test_closest_marker_wins_keyword_by_keyword():
    applied = [((), {"threshold": 0.5}), ((), {"threshold": 0.9, "group": "easy"})]
    assert reward_marker(applied) == RewardMarker(threshold=0.5, group="easy")


@pytest.mark.parametrize(
    ("keywords", "text"),
    [
        ({"treshold": 0.5}, "unknown keyword 'treshold'; did you mean 'threshold'?"),
        ({"xyz": 1}, "unknown keyword 'xyz'; known are: attempts, group, must_pass, reduce, threshold, weight"),
        ({"threshold": 1.5}, "threshold must be a number in [0, 1], not 1.5"),
        ({"threshold": math.nan}, "threshold must be a number in [0, 1], not nan"),
        ({"threshold": "0.5"}, "threshold must be a number in [0, 1], not '0.5'"),
        ({"threshold": True}, "threshold must be a number in [0, 1], not True"),
        ({"weight": -1}, "weight must be a finite number, 0 or more, not -1"),
        ({"weight": math.inf}, "weight must be a finite number, 0 or more, not inf"),
        ({"group": ""}, "group must be a name of 1 to 100 characters, not ''"),
        ({"group": 7}, "group must be a name of 1 to 100 characters, not 7"),
        ({"must_pass": 1}, "must_pass must be True or False, not 1"),
    ],
)
def test_wrong_keywords_are_refused_with_the_right_thing(keywords, text):
    with pytest.raises(RewardkitUsageError) as caught:
        reward_marker([((), keywords)])
    assert str(caught.value) == text


def test_positional_arguments_are_refused():
    with pytest.raises(RewardkitUsageError, match=r"takes keywords only, not 0\.5; known are: threshold"):
        reward_marker([((0.5,), {})])
