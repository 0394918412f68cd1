"""What a cell shows: results, displayed objects and errors, as MIME bundles handed to the kernel.

Each class replaces IPython's own, which prints to a terminal. E2B adds these formats to IPython's: `e2b/data` (a
DataFrame's columns), `e2b/chart` (what e2b_charts reads from a figure), and JSON for lists and dicts.
"""

from __future__ import annotations

import base64
import contextlib
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final, Protocol

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.formatters import BaseFormatter, JSONFormatter
from traitlets import ObjectName, Unicode

from pytest_rewardkit.local.errors import NotPlainError
from pytest_rewardkit.local.guest.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.formatters import DisplayFormatter

DATA: Final = "e2b/data"
CHART: Final = "e2b/chart"


class _Emitter(Protocol):
    """An object that shows results."""

    def emit(self, kind: str, /, **fields: Any) -> None: ...


def bundle(data: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a MIME bundle in plain JSON values, with bytes in base64 and without values that have no JSON form."""
    plain_data: dict[str, Any] = {}
    for mime, value in data.items():
        if isinstance(value, bytes):
            plain_data[str(mime)] = base64.b64encode(value).decode("ascii")
        else:
            with contextlib.suppress(NotPlainError):
                plain_data[str(mime)] = plain(value)
    return plain_data


class Publisher(DisplayPublisher):
    """Takes what ``display()`` shows. Updates and clearing are dropped, as in E2B."""

    def publish(self, data: Any, *_: Any, update: bool = False, **__: Any) -> None:
        """Send one displayed object."""
        if not update:
            _shell(self).emit("result", data=bundle(data), main=False)

    def clear_output(self, wait: bool = False) -> None:
        """Do nothing: output that was sent stays sent."""


class Hook(DisplayHook):
    """Takes the value of a cell's last expression."""

    def __call__(self, result: Any = None) -> None:
        """Send a result and keep it as `_`, as IPython does."""
        self.check_for_underscore()
        if result is None or self.quiet():
            return
        data, _ = self.compute_format_data(result)
        self.update_user_ns(result)
        self.fill_exec_result(result)
        if data:
            _shell(self).emit("result", data=bundle(data), main=True)


class _DataFormatter(BaseFormatter):
    """A pandas DataFrame as a dict of its columns."""

    format_type = Unicode(DATA)
    print_method = ObjectName("_repr_e2b_data_")
    _return_type = dict

    def __call__(self, obj: Any) -> Any:
        pandas = sys.modules.get("pandas")
        if pandas is not None and isinstance(obj, pandas.DataFrame):
            # pandas warns if columns share a name, but the candidate has not asked for this form.
            with contextlib.suppress(NotPlainError), warnings.catch_warnings(action="ignore"):
                return plain(obj.to_dict(orient="list"))
            return None
        return super().__call__(obj)


class _ChartFormatter(BaseFormatter):
    """A matplotlib figure as the chart that e2b_charts sees in it; {} when it sees none."""

    format_type = Unicode(CHART)
    print_method = ObjectName("_repr_e2b_chart_")
    _return_type = dict

    def __call__(self, obj: Any) -> Any:
        figures = sys.modules.get("matplotlib.figure")
        if figures is None or not isinstance(obj, figures.Figure):
            return super().__call__(obj)
        try:
            from e2b_charts import chart_figure_to_dict
        except ImportError:
            return None
        try:
            return plain(chart_figure_to_dict(obj))
        except Exception:
            # A chart is an extra to the picture: if e2b_charts fails in any way, the picture stays.
            return {}


class _ContainerFormatter(JSONFormatter):
    """Lists and dicts as JSON, if they have such a form."""

    _return_type = (list, dict)

    def __call__(self, obj: Any) -> Any:
        if isinstance(obj, (list, dict)):
            with contextlib.suppress(NotPlainError):
                return plain(obj)
            return None
        return super().__call__(obj)


def _shell(part: DisplayHook | DisplayPublisher) -> _Emitter:
    shell: _Emitter = part.shell  # type: ignore[assignment]
    return shell


def install_formatters(formatter: DisplayFormatter) -> None:
    """Add the formats to a shell's display formatter."""
    for kind in (_DataFormatter, _ChartFormatter, _ContainerFormatter):
        instance = kind(parent=formatter)
        formatter.formatters[instance.format_type] = instance
