"""Display of data scientists' objects: figures, frames, images, in all their formats."""

from __future__ import annotations

import base64
import textwrap
from typing import TYPE_CHECKING

import pytest
from guest_driver import ForkServer, Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

for module in ("numpy", "pandas", "matplotlib", "e2b_charts", "PIL"):
    pytest.importorskip(module, reason="needs the extra 'examples'")

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module", params=["imported by the cell", "preloaded"])
def kernel(request) -> Iterator[Kernel]:
    options = ["--preload", "numpy,pandas,matplotlib"] if request.param == "preloaded" else []
    with ForkServer(*options) as server, server.spawn() as box:
        yield box.kernel()


def run(kernel: Kernel, code: str):
    outcome = kernel.run(textwrap.dedent(code))
    assert outcome.error is None, outcome.error["traceback"]
    assert outcome.stderr == ""
    return outcome


@pytest.mark.parametrize("ending", ["", "plt.show()", "plt.gcf()", "figure"])
def test_a_figure_is_shown_once_with_its_chart(kernel, ending):
    outcome = run(
        kernel,
        f"""
        import matplotlib.pyplot as plt
        figure, axes = plt.subplots()
        axes.bar(["a", "b"], [1, 2])
        axes.set_title("Amounts")
        {ending}
        """,
    )
    pictures = [result for result in outcome.results if "image/png" in result]
    # As the last expression it is the cell's result; it is also shown as a figure that is still open.
    assert len(pictures) == (2 if ending in ("plt.gcf()", "figure") else 1)
    for picture in pictures:
        assert base64.b64decode(picture["image/png"]).startswith(PNG)
        assert picture["e2b/chart"]["title"] == "Amounts"
        assert picture["e2b/chart"]["type"] == "bar"
        assert picture["text/plain"].startswith("<Figure size 640x480")
    assert run(kernel, "plt.get_fignums()").text == "[]"


def test_a_figure_made_by_awaiting_code_is_shown_too(kernel):
    code = "import asyncio\nimport matplotlib.pyplot as plt\nawait asyncio.sleep(0)\nplt.plot([1, 2]);"
    assert [set(result) >= {"image/png", "e2b/chart"} for result in run(kernel, code).results] == [True]


def test_an_empty_figure_is_no_picture(kernel):
    (result,) = run(kernel, "import matplotlib.pyplot as plt\nfigure = plt.figure()").results
    assert result == {"text/plain": "<Figure size 640x480 with 0 Axes>", "e2b/chart": {}}


def test_a_figure_saved_to_a_file_is_displayed_as_an_image(kernel):
    """As in E2B: matplotlib saves through Pillow, and images saved by Pillow are displayed."""
    code = """
    import os
    import matplotlib.pyplot as plt
    plt.plot([1])
    plt.savefig('figure.png')
    plt.close()
    os.path.exists('figure.png')
    """
    image, exists = run(kernel, code).results
    assert image["text/plain"] == "<PIL.Image.Image image mode=RGBA size=640x480>"
    assert exists == {"text/plain": "True"}


PLOTLY = "application/vnd.plotly.v1+json"


@pytest.mark.parametrize("ending", ["figure.show()", "figure", "display(figure)", "pio.show(figure)"])
def test_a_figure_of_plotly_is_data_without_nbformat(kernel, ending):
    pytest.importorskip("plotly", reason="needs the extra 'dev'")
    outcome = run(
        kernel,
        f"""
        import plotly.graph_objects as go
        import plotly.io as pio
        figure = go.Figure(go.Bar(x=["a", "b"], y=[1, 2]))
        {ending}
        """,
    )
    # Once, and without the megabytes of JavaScript that would show it outside a notebook.
    [shown] = outcome.results
    assert set(shown) == {PLOTLY}
    assert (shown[PLOTLY]["data"][0]["type"], shown[PLOTLY]["data"][0]["x"]) == ("bar", ["a", "b"])


def test_a_frame_is_text_html_and_data(kernel):
    outcome = run(
        kernel,
        """
        import pandas
        pandas.DataFrame({
            "number": [1, 2], "missing": [1.5, None], "text": ["x", "y"],
            "day": pandas.to_datetime(["2026-01-02", "2026-01-03"]),
        })
        """,
    )
    assert "<table" in outcome.main["text/html"]
    assert outcome.main["e2b/data"] == {
        "number": [1, 2],
        "missing": [1.5, None],
        "text": ["x", "y"],
        "day": ["2026-01-02T00:00:00", "2026-01-03T00:00:00"],
    }


def test_a_series_has_no_data_format(kernel):
    assert set(run(kernel, "import pandas\npandas.Series([1])").main) == {"text/plain"}


def test_arrays_are_text(kernel):
    assert run(kernel, "import numpy\nnumpy.arange(3)").main == {"text/plain": "array([0, 1, 2])"}
    assert run(kernel, "[numpy.int64(1), numpy.float32(0.5)]").main["application/json"] == [1, 0.5]


@pytest.mark.parametrize("action", ["image.show()", "image.save('/tmp/image.png')", "image"])
def test_an_image_is_displayed_when_shown_or_saved(kernel, action):
    outcome = run(kernel, f"from PIL import Image\nimage = Image.new('RGB', (3, 2))\n{action}")
    (result,) = outcome.results
    assert base64.b64decode(result["image/png"]).startswith(PNG)
    assert result["text/plain"] == "<PIL.Image.Image image mode=RGB size=3x2>"


def test_an_image_saved_to_memory_is_not_displayed(kernel):
    code = "import io\nfrom PIL import Image\nImage.new('RGB', (3, 2)).save(io.BytesIO(), 'png')"
    assert run(kernel, code).results == []


def test_formats_of_a_candidates_own(kernel):
    outcome = run(
        kernel,
        """
        class Shape:
            def _repr_mimebundle_(self, **_):
                return {"application/x-shape": {"sides": 3}, "image/png": b"\\x89PNG"}
            def _repr_latex_(self):
                return "$x$"
        Shape()
        """,
    )
    assert outcome.main["application/x-shape"] == {"sides": 3}
    assert outcome.main["image/png"] == base64.b64encode(b"\x89PNG").decode()
    assert outcome.main["text/latex"] == "$x$"
