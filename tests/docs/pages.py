"""Markdown pages as sections of code blocks, for the tests that execute them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "example_suites" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, the line of its fence, and the directive in the comment above it."""

    language: str
    text: str
    line: int
    directive: str = ""

    @property
    def file_name(self) -> str | None:
        """The name in the comment at the beginning of a file's block, as in `# test_add.py`."""
        match = re.match(r"# ([\w./-]+\.\w+)\n", self.text)
        return match[1] if match else None

    @property
    def has_tests(self) -> bool:
        return re.search(r"^\s*(async )?def test_", self.text, re.MULTILINE) is not None


@dataclass(slots=True)
class Section:
    """The content under one heading. The blocks of a section belong together: its files are in one directory."""

    page: Path
    title: str
    blocks: list[Block] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.title}"


@dataclass(frozen=True, slots=True)
class Command:
    """A line after `$ ` in a console block, and the output that the block shows under it."""

    line: str
    output: str


def sections(page: Path) -> list[Section]:
    """The sections of `page` with code blocks. A tutorial, whose steps build on each other, is one section."""
    found = [Section(page, "top")]
    directive = ""
    text = page.read_text("utf-8")
    one_tutorial = text.startswith("<!-- docs-test: tutorial -->")
    tokens = MarkdownIt().parse(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following is not None and not one_tutorial:
            found.append(Section(page, following.content))
        elif token.type == "html_block" and (
            comment := re.fullmatch(r"<!-- docs-test: (.+) -->", token.content.strip())
        ):
            directive = comment[1]
        elif token.type == "fence":
            line = token.map[0] + 1 if token.map else 0
            found[-1].blocks.append(Block(token.info.strip(), token.content, line, directive))
            directive = ""
    return [section for section in found if section.blocks]


def commands(block: Block) -> list[Command]:
    """The commands of a console block, with the output shown under each."""
    found: list[Command] = []
    for chunk in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        line, _, output = chunk.partition("\n")
        found.append(Command(line, output.strip("\n")))
    return found


def tables(page: Path, title: str) -> dict[str, list[str]]:
    """The rows of the table under the heading `title`: maps the code in the first cell to the other cells."""
    rows: dict[str, list[str]] = {}
    text = page.read_text("utf-8")
    match = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match is not None, f"{page.name} has no heading {title!r}"
    for line in match[1].splitlines():
        if not line.startswith("| `"):
            continue
        first, *others = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for name in re.findall(r"`([^`]+)`", first):
            rows[name] = others
    return rows


VARIES = [
    (r"\d+(\.\d+)? ?(ms|s)\b", "TIME"),
    (r"\b\d+\.\d+\.\d+\b", "VERSION"),
    (r"(?<=port )\d+|(?<=:)\d{4,5}\b", "PORT"),
    (r"[=_!-]{3,}", "RULE"),
    (r" +", " "),
]


def normalised(output: str) -> list[str]:
    """The lines of `output` with times, versions, ports, rules and padding replaced, since these vary between runs."""
    lines = []
    for line in output.splitlines():
        for pattern, word in VARIES:
            line = re.sub(pattern, word, line)
        if line.strip():
            lines.append(line.strip())
    return lines


def assert_shown(shown: str, actual: str) -> None:
    """Asserts that `actual` is what the page shows; a line of `...` on the page stands for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in normalised(shown)
    )
    text = "".join(f"{line}\n" for line in normalised(actual))
    assert re.fullmatch(pattern, text), f"the page shows\n{shown}\n\nbut the command printed\n{actual}"
