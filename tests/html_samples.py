"""Sample reports: an ordinary one, and one with the caller's text wherever a report can contain text."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from pytest_rewardkit.ledger.step import SandboxStep
from pytest_rewardkit.reports.html.model import (
    Figure,
    Image,
    PageAttempt,
    PageEvidence,
    PageGate,
    PageGroup,
    PageTest,
    Report,
)
from pytest_rewardkit.reward import Part, Verdict

# Each does something, or looks like something else, if it is misinterpreted.
PAYLOADS = {
    "script": "<script>window.hurt=1</script>",
    "end of script": "</script><script>window.hurt=1</script>",
    "end of script, odd": "</ScRiPt\t/><img src=x onerror=window.hurt=1>",
    "comment in script": "<!--<script>",
    "end of comment": "--><script>window.hurt=1</script><!--",
    "cdata": "]]><script>window.hurt=1</script>",
    "handler": '"><img src=x onerror=window.hurt=1>',
    "attribute": "' onmouseover='window.hurt=1' autofocus onfocus='window.hurt=1",
    "svg": "<svg onload=window.hurt=1><animate onbegin=window.hurt=1>",
    "frame": '<iframe srcdoc="<script>parent.hurt=1</script>">',
    "javascript address": "javascript:window.hurt=1",
    "data address": "data:text/html,<script>parent.hurt=1</script>",
    "base": "<base href=https://example.invalid/><link rel=stylesheet href=a.css>",
    "refresh": '<meta http-equiv=refresh content="0;url=https://example.invalid">',
    "plaintext": "<plaintext><template><noscript><title><textarea><xmp>",
    "string end": "'];window.hurt=1;//\\\";window.hurt=1;//`;window.hurt=1;//${window.hurt=1}",
    "escaped already": "\\u003cscript\\u003ewindow.hurt=1\\u003c/script\\u003e &lt;b&gt; &#60;b&#62; &amp;",
    "templates": "{{7*7}} ${7*7} $policy $$overview ${style} <%= 7*7 %> #{7*7} {% raw %} %(id)s {0}",
    "end of style": "</style><style>*{display:none!important}</style>",
    "style rule": "}*{display:none!important;background:url(https://example.invalid)}/*",
    "style attribute": "1;display:none;position:fixed;inset:0",
    "our own place holders": "<!-- details -->",
    "class names": "good unseen hidden",
    "prototype": "__proto__",
    "constructor": "constructor",
    "bidirectional": "\u202eexe.txt\u202c \u2066isolated\u2069 \u200fright to left \u05d0\u05d1",
    "terminal": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J \x9b1m",
    "controls": "\x00\x01\x08\x0b\x7f\x85 \r\n\t end",
    "line separators": "one\u2028two\u2029three",
    "broken UTF-8": b"caf\xc3 \xff\xfe".decode("utf-8", "surrogateescape") + "\ud800 \udfff",
    "invisible": "zero\u200bwidth\u2060joiner\ufeff\u00a0\u3000\U000e0041",
    "combining": "a" + "\u0301" * 300,
    "wide": "\ufdfd" * 50 + "\U0001f469\u200d\U0001f4bb",
    "long": "A" * 100_000,
    "long, many lines": "line\n" * 20_000,
}


def hostile(text: str) -> Report:
    """Return a report that has `text` in every text field."""
    part = Part(
        text,
        0.5,
        verdict=Verdict.PARTIAL,
        reason=text,
        expected=f"expected {text}",
        actual=f"actual {text}",
        stderr=text,
    )
    only_expected = Part(text, 0.0, expected=text)
    attempt = PageAttempt(
        verdict=text,
        value=0.25,
        outcome=text,
        reason=text,
        seconds=1.0,
        parts=[part, only_expected],
        evidence=PageEvidence(
            candidate=text,
            stdout=text,
            stderr=text,
            images=[Image(f"!{text}", text), Image(png(), text)],
        ),
        timings=[(text, 0.5)],
        command=text,
        prompt=text,
        asked=[(text, text)],
        steps=[SandboxStep(text, text, text), SandboxStep("cell", text)],
    )
    test = PageTest(
        node_id=text,
        attempts=[attempt, attempt],
        value=0.25,
        verdict=text,
        group=text,
        row_id=text,
        threshold=0.5,
        weight=2.0,
        must_pass=True,
        figures=[(text, 0.5), (f"{text} 2", None)],
        baseline=0.5,
        change="worse",
        outcome=text,
        why=text,
        history=[0.5, None],
    )
    return Report(
        tests=[test],
        title=text,
        facts={text: text},
        figures=[Figure(text, text, text)],
        gates=[PageGate(text, "failed", text)],
        groups=[PageGroup(name=text, tests=1, mean=0.25), PageGroup(name=f"other {text}", tests=0, mean=None)],
        interval=text,
        missing=[text],
        gone={text: 1.0},
        in_sight=[text, text],
        history=[(text, 0.5), (text, None)],
        mean=0.25,
        left_out=[text],
        models=[("model", text), (text, text)],
        model_differences=[text],
    )


def ordinary(count: int = 60) -> Report:
    """Return a report of `count` tests with rewards of every kind, in three groups."""
    tests = [_ordinary_test(index) for index in range(count)]
    names = ["algorithms", "files", ""]
    groups = [
        PageGroup(name=name, tests=sum(test.group == name for test in tests), mean=0.2 + 0.3 * place, low=0.1, high=0.9)
        for place, name in enumerate(names)
    ]
    return Report(
        tests=tests,
        title="Rewards: nightly",
        facts={"Python": "3.12.1", "Sandboxes": "local, full isolation"},
        figures=[Figure("Mean reward", "0.52", "95 % interval 0.43 to 0.60")],
        gates=[PageGate("Run", "passed", "mean 0.52 >= 0.5"), PageGate("Group files", "failed", "0.40 < 0.50")],
        groups=groups,
        interval="95 % interval",
    )


def _ordinary_test(index: int) -> PageTest:
    verdict, value = [("passed", 1.0), ("partial", (index % 10 or 5) / 10), ("timeout", 0.0), ("unscored", None)][
        index % 4
    ]
    parts = [
        Part("adds", 1.0, expected="3", actual="3"),
        Part("prints", 0.0, weight=3.0, reason="line 2 differs", expected="one\ntwo\nthree", actual="one\ntoo\nthree"),
    ]
    return PageTest(
        node_id=f"tests/test_{index % 5}.py::test_row[{index:05}]",
        attempts=[
            PageAttempt(
                verdict=verdict,
                value=value,
                outcome="passed" if value == 1 else "failed",
                reason="" if value == 1 else f"reason {index}",
                seconds=(index * 37 % 101) / 10,
                parts=parts if verdict == "partial" else (),
                evidence=PageEvidence(
                    candidate=f"def add(a, b):\n    return a + b  # {index}\n",
                    stdout=f"out {index}",
                ),
                command="python -m pytest x",
            )
        ],
        group=["algorithms", "files", ""][index % 3],
    )


def report(**fields: Any) -> Report:
    """Return a report of one test, whose only attempt has `fields`."""
    attempt = PageAttempt(**{"verdict": "partial", "value": 0.5, "outcome": "passed", **fields})
    return Report(tests=[PageTest(node_id="test_a.py::test_one", attempts=[attempt])])


def png(width: int = 3, height: int = 2) -> str:
    """Return a red PNG file in base64; its header says `width` and `height`, whatever it really contains."""
    rows = (b"\0" + b"\xff\0\0" * min(width, 100)) * min(height, 100)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return base64.b64encode(content).decode("ascii")
