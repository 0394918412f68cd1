"""Numbers by one method: an object with `__float__` compares and calculates as the number that it returns."""

from __future__ import annotations

import numbers
import operator
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, SupportsFloat

if TYPE_CHECKING:
    from collections.abc import Callable


def _compares(operation: Callable[[float, float], bool]) -> Callable[[Any, SupportsFloat], bool]:
    return lambda one, other: operation(float(one), float(other))


def _calculates(operation: Callable[[float, float], float]) -> Callable[[Any, SupportsFloat], float]:
    return lambda one, other: operation(float(one), float(other))


def _reflects(operation: Callable[[float, float], float]) -> Callable[[Any, SupportsFloat], float]:
    return lambda one, other: operation(float(other), float(one))


class LikeFloat(ABC):
    """Behaves as a float except for equality, which the subclass defines."""

    __slots__ = ()

    @abstractmethod
    def __float__(self) -> float:
        """The number."""

    def __bool__(self) -> bool:
        return bool(float(self))

    __lt__ = _compares(operator.lt)
    __le__ = _compares(operator.le)
    __gt__ = _compares(operator.gt)
    __ge__ = _compares(operator.ge)

    __add__ = __radd__ = _calculates(operator.add)
    __mul__ = __rmul__ = _calculates(operator.mul)
    __sub__ = _calculates(operator.sub)
    __rsub__ = _reflects(operator.sub)
    __truediv__ = _calculates(operator.truediv)
    __rtruediv__ = _reflects(operator.truediv)

    def __neg__(self) -> float:
        return -float(self)

    def __abs__(self) -> float:
        return abs(float(self))

    def __round__(self, digits: int = 0) -> float:
        return round(float(self), digits)


# `pytest.approx(0.75) == reward` holds only for a type that is registered as a number.
numbers.Real.register(LikeFloat)  # type: ignore[type-abstract]
