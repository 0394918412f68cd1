"""One check of a candidate: what runs, and what must come out."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, cast

from pytest_rewardkit.difference import shown
from pytest_rewardkit.errors import RewardkitUsageError
from pytest_rewardkit.reward_values import checked_weight
from pytest_rewardkit.scorers.checks.mappings import of_mapping
from pytest_rewardkit.scorers.guest.codec_decoder import decode
from pytest_rewardkit.scorers.guest.codec_encoder import encode
from pytest_rewardkit.scorers.guest.codec_libraries import can_be_built
from pytest_rewardkit.scorers.guest.codec_objects import Opaque, TooLargeError
from pytest_rewardkit.scorers.response.source import Source, read_source
from pytest_rewardkit.scorers.values.compare import DATA_COMPARISONS, checked_comparison
from pytest_rewardkit.scorers.values.digits import written
from pytest_rewardkit.scorers.values.equality import comparable
from pytest_rewardkit.text import one_line

LABEL_LIMIT: Final = 60


class Missing(Enum):
    """The type of NOT_GIVEN, which stands for a missing expected value, since None is a value."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = Missing.NOT_GIVEN


@dataclass(frozen=True, kw_only=True)
class Case:
    """One check of a candidate: one of `code`, `call` and `stdin`, and one of `expected`, `raises` and `checker`.

    Parameters:
        code: Python that runs after the candidate, in its namespace. The value of its last expression counts, or the
            value that its last statement assigned, or else what it printed.
        call: a function of the candidate, as an expression (``"add"``, ``"Solution().add"``); its return value counts,
            whatever it prints.
        args, kwargs: the call's arguments, as values.
        stdin: text or bytes that the candidate, run as a separate program, reads; its output counts.
        expected: what must come out. A text given for `code` is compared with the value's text (protocol.py says which)
            or with what was printed; everything else is compared as a value.
        raises: the exception that must be raised, as a class or by its name; a subclass counts, too.
        match: a regular expression that must match somewhere in the exception's message.
        checker: a function of the result, called on the host. It returns true or false, or a number in [0, 1]. It gets
            plain data, and objects of the candidate's own types as `Opaque`. An exception or any other return value
            counts as a wrong output.
        compare: how to compare (compare.py), instead of the scorer's way: ``lines``, ``exact`` or ``tokens`` as texts,
            ``value`` or ``json`` as data. By default, ``lines`` for texts and ``value`` for values.
        name: what to call the case in reports.
        weight: how much it counts among the cases, 0 or more.
        time_limit: seconds, instead of the scorer's limit.

    Raises RewardkitUsageError that names the case and what is wrong.
    """

    code: str | None = None
    call: str | None = None
    stdin: str | bytes | None = None
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = NOT_GIVEN
    raises: type[BaseException] | str | None = None
    match: str | None = None
    checker: Callable[[Any], Any] | None = None
    compare: str | None = None
    name: str | None = None
    weight: float = 1.0
    time_limit: float | None = None

    def __post_init__(self) -> None:
        try:
            self._check()
        except (RewardkitUsageError, ValueError) as error:
            raise RewardkitUsageError(f"case {self.label!r}: {error}") from None

    @property
    def label(self) -> str:
        """The name, or else a description of the case on one line."""
        if self.name is not None:
            return self.name
        if self.call is not None:
            # A name is needed even if these are wrong.
            args, kwargs = cast("Any", self.args), cast("Any", self.kwargs)
            given = [_brief(value) for value in args] if isinstance(args, Sequence) else []
            given += [f"{key}={_brief(value)}" for key, value in kwargs.items()] if isinstance(kwargs, Mapping) else []
            return one_line(f"{self.call}({', '.join(given)})", LABEL_LIMIT)
        if self.code is not None:
            return one_line(str(self.code), LABEL_LIMIT)
        return one_line(f"stdin {self.stdin!r}", LABEL_LIMIT)

    @property
    def is_about_text(self) -> bool:
        """Whether texts are compared: a text is expected of code or a program, or the comparison is one of texts."""
        if self.expected is NOT_GIVEN:
            return False
        if self.compare is not None and self.compare not in DATA_COMPARISONS:
            return True
        return isinstance(self.expected, str) and self.call is None

    @property
    def source(self) -> Source | None:
        """The source of the case's own code, with the names it uses; None for a program's case."""
        text = self.code if self.code is not None else self.call
        return read_source(text) if text is not None else None

    def encoded_arguments(self) -> tuple[Any, Any]:
        """Return the call's arguments, positional and keyword, as data (codec_encoder.py).

        Raises RewardkitUsageError for arguments that cannot be sent into a sandbox.
        """
        try:
            args, kwargs = encode(list(self.args)), encode(dict(self.kwargs))
        except (TooLargeError, RecursionError):
            raise RewardkitUsageError("the arguments are too large") from None
        if foreign := _foreign(decode([args, kwargs])):
            raise RewardkitUsageError(
                f"an argument is a {foreign.type_name}, which cannot be taken into a sandbox; make it by a code case"
            )
        return args, kwargs

    def _check(self) -> None:
        kinds = [kind for kind in ("code", "call", "stdin") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise RewardkitUsageError(f"give one of code=, call= and stdin=, not {' and '.join(kinds) or 'none'}")
        if (self.args or self.kwargs) and self.call is None:
            raise RewardkitUsageError("args= and kwargs= go with call=")
        if isinstance(self.args, str | bytes) or not isinstance(self.args, Sequence):
            given = one_line(repr(self.args), 30)
            raise RewardkitUsageError(f"args must be a list of arguments, as [{given}], not {given}")
        if not isinstance(self.kwargs, Mapping) or not all(isinstance(key, str) for key in self.kwargs):
            raise RewardkitUsageError("kwargs must be a mapping of names to arguments")
        self._check_source(kinds[0])
        if self.call is not None:
            self.encoded_arguments()
        self._check_expectation()
        checked_weight(self.weight)
        if self.time_limit is not None:
            checked_time_limit(self.time_limit)
        if self.compare is not None:
            checked_comparison(self.compare)

    def _check_source(self, kind: str) -> None:
        if kind == "stdin":
            if not isinstance(self.stdin, str | bytes):
                raise RewardkitUsageError(f"stdin must be text or bytes, not {type(self.stdin).__name__}")
            return
        text = getattr(self, kind)
        if not isinstance(text, str):
            raise RewardkitUsageError(f"{kind} must be text, not {type(text).__name__}")
        # An expression in parentheses is still an expression; two statements are not.
        if read_source(f"({text}\n)" if kind == "call" else text) is None:
            raise RewardkitUsageError(f"{kind} is not valid Python: {one_line(text, LABEL_LIMIT)!r}")

    def _check_expected(self) -> None:
        if not self.is_about_text:
            comparable(self.expected)
            return
        try:
            written(self.expected)
        except ValueError:
            raise RewardkitUsageError("the expected value has no text; give the text itself") from None

    def _check_expectation(self) -> None:
        given = [name for name in ("raises", "checker") if getattr(self, name) is not None]
        given += ["expected"] if self.expected is not NOT_GIVEN else []
        if not given:
            raise RewardkitUsageError("nothing to check: give expected=, raises= or checker=")
        if len(given) > 1:
            raise RewardkitUsageError(f"{' and '.join(given)} exclude each other")
        if self.expected is not NOT_GIVEN:
            self._check_expected()
        if self.raises is None:
            if self.match is not None:
                raise RewardkitUsageError("match= goes with raises=")
            return
        if self.stdin is not None:
            raise RewardkitUsageError("raises= goes with code= or call=; a program has an output")
        if not (isinstance(self.raises, str) or _is_exception(self.raises)):
            raise RewardkitUsageError(f"raises must be an exception or its name, not {self.raises!r}")
        if self.match is not None:
            try:
                re.compile(self.match)
            except re.error as error:
                raise RewardkitUsageError(f"match is not a regular expression: {error}") from None


def _brief(value: object) -> str:
    return shown(value, 4 * LABEL_LIMIT)


def _foreign(value: Any) -> Opaque | None:
    """The first object in `value` that is not plain data and cannot be rebuilt."""
    if isinstance(value, Opaque):
        parts: Any = value.fields if can_be_built(value) else None
        return value if parts is None else _foreign(parts)
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset | deque):
        return next((found for item in value if (found := _foreign(item))), None)
    return None


def _is_exception(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def as_cases(cases: Iterable[Case | Mapping[str, Any]]) -> tuple[Case, ...]:
    """Return cases given as `Case` objects or as mappings of its fields, such as rows of a dataset.

    Raises RewardkitUsageError if there are no cases, and for an unknown field, with the nearest known one.
    """
    if isinstance(cases, Case | Mapping | str) or not isinstance(cases, Iterable):
        raise RewardkitUsageError(f"cases must be a list of cases, not {type(cases).__name__}")
    found = tuple(_as_case(case, number) for number, case in enumerate(cases, start=1))
    if not found:
        raise RewardkitUsageError("no cases were given: nothing would be checked")
    if not any(case.weight > 0 for case in found):
        raise RewardkitUsageError("every case has the weight 0: nothing would count")
    return found


def _as_case(case: Case | Mapping[str, Any], number: int) -> Case:
    if isinstance(case, Case):
        return case
    if not isinstance(case, Mapping):
        raise RewardkitUsageError(f"case {number} must be a Case or a mapping, not {type(case).__name__}")
    return of_mapping(Case, case, "a case", f"case {number}: ")


def checked_time_limit(seconds: float) -> float:
    """Return `seconds` if it is a finite number above 0. Raises RewardkitUsageError."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise RewardkitUsageError(f"time_limit must be a number of seconds over 0, not {seconds!r}")
    return float(seconds)
