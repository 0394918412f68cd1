"""How far two numbers may be apart and still count as the same."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from typing import Any, Final

from pytest_rewardkit.errors import RewardkitUsageError

RELATIVE: Final = 1e-9
ABSOLUTE: Final = 1e-12
EXACT_IN_FLOATS: Final = 2**53
"""The whole numbers up to here are all floats too; beyond, a float near a whole number is another number."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The accepted difference between two numbers, as in `math.isclose`.

    Parameters:
        relative: share of the larger of the two, default 1e-9.
        absolute: in the numbers' own unit, default 1e-12, which matters near zero.

    By default whole numbers must be equal exactly, and only floats may differ, by rounding; where the expected whole
    number is too large for a float to hold, a float must be equal too. A tolerance that is given also applies to whole
    numbers. Truth values are never near anything.
    """

    relative: float | None = None
    absolute: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("rel_tol", self.relative), ("abs_tol", self.absolute)):
            if value is not None and not (isinstance(value, int | float) and 0 <= value < math.inf):
                raise RewardkitUsageError(f"{name} must be a number, 0 or more, not {value!r}")

    @property
    def given(self) -> bool:
        return self.relative is not None or self.absolute is not None

    def allows(self, actual: Any, expected: Any) -> bool:
        """Whether two numbers (int, float or complex) count as equal. NaN equals NaN."""
        if actual == expected:
            return True
        if isinstance(actual, bool) or isinstance(expected, bool):
            return False
        if isinstance(actual, int) and isinstance(expected, int) and not self.given:
            return False
        if (
            isinstance(actual, float)
            and isinstance(expected, int)
            and abs(expected) > EXACT_IN_FLOATS
            and not self.given
        ):
            return False
        if actual != actual and expected != expected:
            return True
        return self._near(actual, expected)

    def _near(self, actual: Any, expected: Any) -> bool:
        # A given tolerance stands alone: abs_tol=0.5 does not add a relative tolerance beyond rounding.
        relative = RELATIVE if self.relative is None else self.relative
        absolute = ABSOLUTE if self.absolute is None else self.absolute
        if relative == absolute == 0:  # as floats, different long whole numbers may be equal
            return False
        isclose = cmath.isclose if isinstance(actual, complex) or isinstance(expected, complex) else math.isclose
        try:
            return isclose(actual, expected, rel_tol=relative, abs_tol=absolute)
        except OverflowError:  # a whole number too large for a float
            return False


DEFAULT_TOLERANCE: Final = Tolerance()
