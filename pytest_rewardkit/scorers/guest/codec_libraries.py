"""Takes values that are not plain data apart: tables, arrays, records, and types that their text distinguishes.

Sent into the candidate's interpreter as part of the codec, so it needs only the standard library. It knows other
libraries by the names of their types, and never loads one to take a value apart.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from numbers import Complex, Integral, Rational, Real

from pytest_rewardkit.scorers.guest.codec_objects import MAX_ITEMS, Moment, Opaque, TooLargeError

TYPING = False
if TYPING:
    from typing import Any


def taking_apart(kind: type) -> Any:
    """The function that takes objects of a type apart, called with an encoder, the object and its depth; or None."""
    for base in kind.__mro__:
        root = str(base.__module__).partition(".")[0]
        if (found := _BY_NAME.get((root, base.__name__))) is not None:
            return found
    if is_dataclass(kind):
        return _record(lambda value: [field.name for field in fields(value) if field.compare])
    if hasattr(kind, "__attrs_attrs__"):
        return _record(lambda value: [field.name for field in value.__attrs_attrs__ if field.eq])
    if hasattr(kind, "__pydantic_fields__"):
        return _record(lambda value: list(type(value).__pydantic_fields__))
    return next((encoding for base, encoding in _NUMBERS if issubclass(kind, base)), None)


def _record(names: Any) -> Any:
    def taken_apart(encoder: Any, value: Any, depth: int) -> Any:
        return encoder.structure(value, {name: getattr(value, name) for name in names(value)}, depth)

    return taken_apart


def _by_text(encoder: Any, value: Any, depth: int) -> Any:
    return encoder.structure(value, {"text": str(value)}, depth)


def _by(*names: str) -> Any:
    return _record(lambda _: list(names))


def _type(encoder: Any, value: Any, depth: int) -> Any:
    return encoder.structure(value, {"name": value.__qualname__}, depth)


def _missing(encoder: Any, value: Any, depth: int) -> Any:
    return encoder.structure(value, {}, depth)


def _array(encoder: Any, value: Any, depth: int) -> Any:
    _bound(value.size)
    dtype = value.dtype
    if dtype.kind in "Mm":
        items = value.astype(f"{'datetime64' if dtype.kind == 'M' else 'timedelta64'}[us]").tolist()
        items = _moments(items) if dtype.kind == "M" else items
    elif dtype.char in "gG":  # wider than Python's numbers; `tolist` would not convert them
        items = value.astype("float64" if dtype.char == "g" else "complex128").tolist()
    else:
        items = value.tolist()
    data = encoder.encode(items, depth + 1)
    return {"array": [data, str(dtype)]} if value.ndim else data


def _moments(items: Any) -> Any:
    if isinstance(items, list):
        return [_moments(item) for item in items]
    return Moment.fromisoformat(items.isoformat()) if isinstance(items, datetime) else items


def _bound(size: int) -> None:
    if size > MAX_ITEMS:
        raise TooLargeError


def _cells(values: Any) -> list[Any]:
    """The items of a pandas column or index; a missing item is NaN, whatever the column calls it."""
    _bound(len(values))
    items = list(values.tolist())
    if getattr(values, "nlevels", 1) > 1 and hasattr(values, "levels"):
        return items
    return [float("nan") if missing else item for item, missing in zip(items, values.isna().tolist())]  # noqa: B905


def _series(encoder: Any, value: Any, depth: int) -> Any:
    parts = {"values": _cells(value), "index": _cells(value.index)}
    return encoder.structure(value, parts, depth, "pandas.Series", {"name": value.name, "dtype": str(value.dtype)})


def _frame(encoder: Any, value: Any, depth: int) -> Any:
    _bound(value.shape[0] * value.shape[1])
    columns = [value.iloc[:, number] for number in range(value.shape[1])]
    parts = {
        "columns": _cells(value.columns),
        "index": _cells(value.index),
        "data": [_cells(column) for column in columns],
    }
    extras = {"dtypes": [str(column.dtype) for column in columns]}
    return encoder.structure(value, parts, depth, "pandas.DataFrame", extras)


def _index(encoder: Any, value: Any, depth: int) -> Any:
    extras = {"names": list(value.names), "dtype": str(value.dtype)}
    return encoder.structure(value, {"values": _cells(value)}, depth, "pandas.Index", extras)


def _extension_array(encoder: Any, value: Any, depth: int) -> Any:
    return encoder.structure(value, {"values": _cells(value)}, depth, f"pandas.{type(value).__name__}")


def _polars_series(encoder: Any, value: Any, depth: int) -> Any:
    _bound(len(value))
    return encoder.structure(value, {"values": value.to_list()}, depth, "polars.Series")


def _polars_frame(encoder: Any, value: Any, depth: int) -> Any:
    _bound(value.height * value.width)
    parts = {"columns": list(value.columns), "data": [column.to_list() for column in value.get_columns()]}
    return encoder.structure(value, parts, depth, "polars.DataFrame")


def _tensor(encoder: Any, value: Any, depth: int) -> Any:
    _bound(value.numel())
    items = value.detach().cpu().tolist()
    return encoder.structure(value, {"values": items}, depth, "torch.Tensor") if value.dim() else encoder.encode(items)


def _timestamp(encoder: Any, value: Any, depth: int) -> Any:
    return encoder.encode(value.to_pydatetime(warn=False), depth)


_BY_NAME: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _array,
    ("numpy", "generic"): _array,
    ("numpy", "dtype"): _by_text,
    ("pandas", "Series"): _series,
    ("pandas", "DataFrame"): _frame,
    ("pandas", "Index"): _index,
    ("pandas", "ExtensionArray"): _extension_array,
    ("pandas", "NaTType"): _missing,
    ("pandas", "NAType"): _missing,
    ("pandas", "Timestamp"): _timestamp,
    ("pandas", "Period"): _by("ordinal", "freqstr"),
    ("pandas", "Interval"): _by("left", "right", "closed"),
    ("pandas", "BaseOffset"): _by("freqstr"),
    ("polars", "Series"): _polars_series,
    ("polars", "DataFrame"): _polars_frame,
    ("torch", "Tensor"): _tensor,
    ("enum", "Enum"): _by("name", "value"),
    ("builtins", "type"): _type,
    ("builtins", "BaseException"): _by("args"),
    ("builtins", "slice"): _by("start", "stop", "step"),
    ("builtins", "ellipsis"): _missing,
    ("builtins", "NotImplementedType"): _missing,
    ("types", "SimpleNamespace"): _record(lambda value: list(vars(value))),
    ("array", "array"): lambda encoder, value, depth: encoder.structure(value, {"items": value.tolist()}, depth),
    ("ipaddress", "_IPAddressBase"): _by_text,
    ("zoneinfo", "ZoneInfo"): _by_text,
    ("datetime", "timezone"): _by_text,
    ("re", "Pattern"): _by("pattern", "flags"),
    ("pathlib", "PureWindowsPath"): _by_text,
}

_NUMBERS: list[tuple[type, Any]] = [
    (Integral, lambda encoder, value, depth: encoder.encode(int(value), depth)),
    (Rational, lambda encoder, value, _: encoder.fraction(int(value.numerator), int(value.denominator))),
    (Real, lambda encoder, value, depth: encoder.encode(float(value), depth)),
    (Complex, lambda encoder, value, depth: encoder.encode(complex(value), depth)),
]


def built(value: Opaque) -> Any:
    """A table, column or index that was taken apart, rebuilt by its library. Raises ValueError for others."""
    import pandas  # type: ignore[import-untyped,unused-ignore]

    parts, extras = value.fields or {}, value.extras or {}
    if value.type_name == "pandas.Series":
        return pandas.Series(parts["values"], index=parts["index"], name=extras["name"], dtype=extras["dtype"])
    if value.type_name == "pandas.DataFrame":
        columns = [
            pandas.Series(items, dtype=dtype)
            for items, dtype in zip(parts["data"], extras["dtypes"])  # noqa: B905
        ]
        frame = pandas.DataFrame(dict(enumerate(columns)), index=range(len(parts["index"])))
        frame.columns, frame.index = _index_of(parts["columns"]), _index_of(parts["index"])
        return frame
    if value.type_name == "pandas.Index":
        if len(extras["names"]) > 1:
            return pandas.MultiIndex.from_tuples(parts["values"], names=extras["names"])
        return pandas.Index(parts["values"], name=extras["names"][0], dtype=extras["dtype"])
    raise ValueError(f"a {value.type_name} cannot be made anew")


def _index_of(values: list[Any]) -> Any:
    import pandas

    if values == list(range(len(values))):
        return pandas.RangeIndex(len(values))
    return pandas.MultiIndex.from_tuples(values) if values and isinstance(values[0], tuple) else pandas.Index(values)


def built_array(items: Any, dtype: str) -> Any:
    """A NumPy array that was taken apart, rebuilt if NumPy is installed."""
    import numpy

    return numpy.array(items, dtype="object" if dtype.startswith("[") else dtype)


def can_be_built(value: Opaque) -> bool:
    """Whether `built` rebuilds it, for which its library must be installed."""
    return value.type_name in ("pandas.Series", "pandas.DataFrame", "pandas.Index")
