"""The reference: a real ipykernel behind jupyter_client, with the formatters that E2B adds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import start_new_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

# E2B's template gives its kernel three formatters (data frames as columns, figures as chart data, containers as
# JSON) and plain, unshortened text. This cell configures a stock kernel the same way.
SETUP = """
def _setup():
    import os
    import pandas
    import orjson
    import matplotlib.figure
    from e2b_charts import chart_figure_to_dict
    from IPython.core.formatters import BaseFormatter, JSONFormatter
    from traitlets import ObjectName, Unicode

    class DataFormatter(BaseFormatter):
        format_type = Unicode('e2b/data')
        print_method = ObjectName('_repr_e2b_data_')
        _return_type = dict

    class ChartFormatter(BaseFormatter):
        format_type = Unicode('e2b/chart')
        print_method = ObjectName('_repr_e2b_chart_')
        _return_type = dict

        def __call__(self, value):
            # Not by type: the inline backend takes figures out of every formatter's types.
            return chart(value) if isinstance(value, matplotlib.figure.Figure) else super().__call__(value)

    def columns(frame):
        frame = frame.copy()
        for name, kind in frame.dtypes.items():
            if pandas.api.types.is_datetime64_any_dtype(kind):
                frame[name] = frame[name].map(lambda moment: moment.isoformat())
        return frame.to_dict(orient='list')

    def chart(figure):
        try:
            return chart_figure_to_dict(figure)
        except Exception:
            return {}

    def container(value):
        try:
            return orjson.loads(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS))
        except Exception:
            return None

    shell = get_ipython()
    formatters = shell.display_formatter.formatters
    formatters['e2b/data'] = DataFormatter(parent=shell.display_formatter)
    formatters['e2b/data'].for_type(pandas.DataFrame, columns)
    formatters['e2b/chart'] = ChartFormatter(parent=shell.display_formatter)
    formatters['application/json'].for_type(dict, container)
    formatters['application/json'].for_type(list, container)
    formatters['text/plain'].max_seq_length = 0
_setup()
del _setup
"""

GUEST_HOME = "/home/user"

NAMES = {
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "application/pdf": "pdf",
    "text/latex": "latex",
    "application/json": "json",
    "application/javascript": "javascript",
    "e2b/data": "data",
    "e2b/chart": "chart",
}


class ReferenceKernel:
    """Runs cells one after another and returns what a user of E2B's SDK would see."""

    def __init__(self, client: Any, home: str) -> None:
        self._client = client
        self._home = home

    def run(self, code: str) -> dict[str, Any]:
        seen: dict[str, Any] = {"stdout": "", "stderr": "", "results": [], "error": None, "count": None}
        self._client.execute_interactive(
            code, timeout=120, allow_stdin=False, output_hook=lambda message: _collect(seen, message)
        )
        return json.loads(json.dumps(seen).replace(self._home, GUEST_HOME))  # type: ignore[no-any-return]


def _collect(seen: dict[str, Any], message: dict[str, Any]) -> None:
    kind, content = message["msg_type"], message["content"]
    if kind == "stream":
        seen[content["name"]] += content["text"]
    elif kind == "execute_input":
        seen["count"] = content["execution_count"]
    elif kind in ("execute_result", "display_data"):
        seen["results"].append(_result(content["data"], main=kind == "execute_result"))
    elif kind == "error" and seen["error"] is None:
        seen["error"] = {
            "name": content["ename"],
            "value": content["evalue"],
            "traceback": "".join(content["traceback"]),
        }


def _result(bundle: dict[str, Any], *, main: bool) -> dict[str, Any]:
    result: dict[str, Any] = {NAMES[kind]: data for kind, data in bundle.items() if kind in NAMES}
    text = result.get("text")
    if text and len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        result["text"] = text[1:-1]
    extra = {kind: data for kind, data in bundle.items() if kind not in NAMES}
    if extra:
        result["extra"] = extra
    return {**result, "main": main}


@contextlib.contextmanager
def reference_kernel() -> Iterator[ReferenceKernel]:
    """A running reference kernel in an empty directory."""
    with tempfile.TemporaryDirectory() as directory:
        home = f"{directory}/user"
        Path(home).mkdir()
        manager, client = start_new_kernel(
            kernel_name="python3",
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            extra_arguments=["--InteractiveShell.colors=NoColor"],
            env=_environment(home),
        )
        try:
            client.execute_interactive(SETUP, timeout=120, store_history=False, silent=True)
            yield ReferenceKernel(client, home)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def _environment(home: str) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": home,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
