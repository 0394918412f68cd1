"""Rows of files: read lazily, in order, and refused with the place and the fix if they are invalid."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rewardkit.datasets.formats import UNNAMED, find_format
from pytest_rewardkit.datasets.formats.reading import data
from pytest_rewardkit.datasets.row import Row
from pytest_rewardkit.datasets.rows import open_dataset
from pytest_rewardkit.datasets.samples import Samples
from pytest_rewardkit.errors import RewardkitUsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [
    {"task_id": "sum/1", "prompt": "Add é\n", "expected": "3"},
    {"task_id": "sum/2", "prompt": 'Say "so,\nso"', "expected": "so"},
    {"task_id": "sum/3", "prompt": "", "expected": "😀"},
]


def write_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def write_jsonl_as_editors_do(path: Path) -> None:
    lines = "\r\n\r\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
    path.write_bytes(b"\xef\xbb\xbf" + lines.encode())


def write_gz(path: Path) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))


def write_json(path: Path) -> None:
    path.write_text(json.dumps(ROWS, indent=2))


def write_csv(path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ROWS[0])
        writer.writeheader()
        writer.writerows(ROWS)


def write_parquet(path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(ROWS), path, row_group_size=2)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("rows.jsonl", write_jsonl),
        ("rows.ndjson", write_jsonl_as_editors_do),
        ("rows.jsonl.gz", write_gz),
        ("rows.json", write_json),
        ("rows.csv", write_csv),
        ("rows.parquet", write_parquet),
    ],
)
def test_every_kind_of_file_gives_the_same_rows_in_any_order(tmp_path: Path, name: str, write: Any) -> None:
    path = tmp_path / name
    write(path)
    dataset = open_dataset(path)
    assert [entry.id for entry in dataset.entries] == ["sum/1", "sum/2", "sum/3"]
    for index in (2, 0, 1, 1):
        row = dataset[index]
        assert (row.id, dict(row)) == (ROWS[index]["task_id"], ROWS[index])


def test_mappings_are_a_dataset_too() -> None:
    dataset = open_dataset(iter(ROWS), limit=2)
    assert [row["expected"] for row in dataset] == ["3", "so"]
    assert len(dataset) == 2


@given(st.lists(st.dictionaries(st.text(min_size=1), st.text(), min_size=1), min_size=1))
def test_any_text_survives_json_lines(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]) -> None:
    path = tmp_path_factory.mktemp("any") / "rows.jsonl"
    path.write_text("".join(json.dumps({"id": index, "row": row}) + "\n" for index, row in enumerate(rows)))
    assert [row["row"] for row in open_dataset(path)] == rows


def test_a_row_is_parsed_when_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path)
    dataset = open_dataset(path)
    text = path.read_text()
    path.write_text(text.replace("so,", "no,"))
    assert dataset[1]["prompt"] == 'Say "no,\nso"'


def test_a_row_that_another_one_stands_in_place_of_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path)
    dataset = open_dataset(path)
    path.write_text(path.read_text().replace("sum/2", "sum/x"))
    with pytest.raises(RewardkitUsageError, match=r"rows.jsonl:2: the row 'sum/2' is not there any more"):
        dataset[1]


def test_a_sample_that_another_one_stands_in_place_of_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"task_id": "a", "completion": "1"}\n{"task_id": "b", "completion": "2"}\n')
    samples = Samples(path)
    path.write_text('{"task_id": "a", "completion": "1"}\n{"task_id": "c", "completion": "3"}\n')
    with pytest.raises(RewardkitUsageError, match=r"samples.jsonl: the sample for 'b' is not there any more"):
        samples.read(samples.keys_of("b")[0])


MANY = [{"id": f"r{number}", "number": number, "padding": "x" * 3000} for number in range(300)]


def write_many_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in MANY))


def write_many_jsonl_gz(path: Path) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in MANY).encode()))


def write_many_json_gz(path: Path) -> None:
    path.write_bytes(gzip.compress(json.dumps(MANY).encode()))


def write_many_csv(path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, MANY[0])
        writer.writeheader()
        writer.writerows(row | {"padding": row["padding"] * 50} for row in MANY)


def write_many_csv_gz(path: Path) -> None:
    plain = path.with_suffix(".plain")
    write_many_csv(plain)
    path.write_bytes(gzip.compress(plain.read_bytes()))


def write_many_parquet(path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(MANY), path, row_group_size=7)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("many.jsonl", write_many_jsonl),
        ("many.jsonl.gz", write_many_jsonl_gz),
        ("many.json.gz", write_many_json_gz),
        ("many.csv", write_many_csv),
        ("many.csv.gz", write_many_csv_gz),
        ("many.parquet", write_many_parquet),
    ],
)
def test_threads_read_rows_of_one_file_at_the_same_time(
    tmp_path: Path, name: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / name)
    dataset = open_dataset(tmp_path / name)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as executor:
            rows = list(executor.map(lambda index: dataset[index % 300], range(0, 300 * 7, 7)))
    finally:
        sys.setswitchinterval(interval)
    assert [(row["id"], int(row["number"])) for row in rows] == [
        (f"r{index % 300}", index % 300) for index in range(0, 300 * 7, 7)
    ]


def test_a_file_that_shrank_after_its_scan_is_said_to_have_changed(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path)
    dataset = open_dataset(path)
    path.write_text("")
    with pytest.raises(RewardkitUsageError, match=r"rows.jsonl: no row at byte .* has changed"):
        dataset[2]


@pytest.mark.parametrize(("given_id", "expected"), [(7, "7"), ("a/b [c] é", "a/b [c] é")])
def test_ids_are_texts_or_whole_numbers(given_id: object, expected: str) -> None:
    assert open_dataset([{"name": given_id}], id="name").entries[0].id == expected


def test_without_an_id_field_rows_are_named_by_their_order() -> None:
    assert [entry.id for entry in open_dataset([{"a": 1}, {"a": 1}]).entries] == ["row1", "row2"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"id": 1}\n{"id": 2,}\n', r"rows.jsonl:2: not JSON: .* at column (9|10)"),
        ('{"id": 1}\n\n{"id": 1}\n', r"rows.jsonl:3: the id '1' is already that of rows.jsonl:1"),
        ('{"id": ""}\n', r"rows.jsonl:1: the id in 'id' is empty"),
        ('{"id": "\\u0020"}\n', r"rows.jsonl:1: the id in 'id' is empty"),
        ('{"id": null}\n', r"rows.jsonl:1: the id in 'id' must be a text or a whole number, not None"),
        ('{"id": true}\n', r"rows.jsonl:1: .* must be a text or a whole number, not True"),
        ('{"id": 1}\n{"ids": 2}\n', r"rows.jsonl:2: no field 'id'; did you mean 'ids'\?"),
        ('{"id": 1}\n[1]\n', r"rows.jsonl:2: a row must be a JSON object, not an array"),
        ('{"id": 1}\n"text"\n', r"rows.jsonl:2: a row must be a JSON object, not a string"),
        ("\n\n", r"rows.jsonl: there are no rows"),
        ("[" * 100_000, r"rows.jsonl:1: not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(RewardkitUsageError, match=error):
        open_dataset(path)


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": 1}\n{"id": "\xff"}\n')
    with pytest.raises(RewardkitUsageError, match=r"rows.jsonl:2: not UTF-8 at byte 9"):
        open_dataset(path)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("id,a\n1,2\n2\n", r"rows.csv:3: 1 values under a header of 2 names"),
        ('id,a\n1,"x\ny"\n2,"x"y\n', r"rows.csv:4: not CSV"),
        ("id,id\n1,2\n", r"rows.csv:1: two columns are named 'id'"),
        ("id,\n1,2\n", r"rows.csv:1: column 2 has no name"),
        ('id,a\n1,"x\ny"\n1,z\n', r"rows.csv:4: the id '1' is already that of rows.csv:2"),
    ],
)
def test_a_bad_csv_is_named_by_the_line_where_the_record_begins(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(RewardkitUsageError, match=error):
        open_dataset(path)


def test_long_csv_cells_are_read_and_the_limit_of_others_stays(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,a\n1," + "x" * 200_000 + "\n")
    before = csv.field_size_limit()
    assert len(open_dataset(path)[0]["a"]) == 200_000
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("rows.json", b'{"id": 1}', r"rows.json: the file must be one JSON array of rows, not an object; .* .jsonl"),
        ("rows.json", b"[1]", r"rows.json, item 1: a row must be a JSON object, not a number"),
        ("rows.json", b"[", r"rows.json: not JSON"),
        (
            "rows.json",
            b'{"id": 1}\n{"id": 2}\n',
            r"rows.json: not JSON: .*; one object a line belongs in a .jsonl file",
        ),
        ("rows.jsonl", b'[{"id": 1}]', r"rows.jsonl:1: .* not an array; an array of rows belongs in a .json file"),
        ("rows.jsonl.gz", b"plain", r"rows.jsonl.gz: not a gzip file"),
        ("rows.jsonl.gz", gzip.compress(b'{"id": 1}', mtime=0)[:-4], r"rows.jsonl.gz: not a gzip file, or cut off"),
        ("rows.parquet", b"plain", r"rows.parquet: not a Parquet file"),
        ("rows.xlsx", b"", r"rows.xlsx: cannot read rows from .xlsx; known are: .jsonl"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, content: bytes, error: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RewardkitUsageError, match=error):
        open_dataset(path)


@pytest.mark.parametrize(
    ("name", "content"), [("r.jsonl", b'{"id": 7}'), ("r.json", b'[{"id": 7}]'), ("r.csv", b"id\n7\n")]
)
def test_a_compressed_file_may_have_another_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(gzip.compress(content))
    assert [entry.id for entry in open_dataset(tmp_path / name).entries] == ["7"]


ASSERTIONS = ["assert add(1, 2) == 3", 'assert add("a", "b") == "ab"']


@pytest.mark.parametrize(
    "written", [ASSERTIONS, json.dumps(ASSERTIONS), json.dumps(json.dumps(ASSERTIONS)), repr(ASSERTIONS)]
)
def test_data_in_a_text(written: Any) -> None:
    row = open_dataset([{"id": 1, "test_list": written, "tests": "assert add(1, 2) == 3"}])[0]
    assert data(row, "test_list") == ASSERTIONS
    with pytest.raises(RewardkitUsageError, match="'tests' must hold JSON"):
        data(row, "tests")


def test_columns_that_a_row_leaves_empty_do_not_count() -> None:
    cases = [{"stdin": "1", "expected": "1"}]
    rows = [
        {"id": 1, "cases": cases, "expected": None},
        {"id": 2, "cases": json.dumps(cases), "expected": ""},
        {"id": 3, "cases": None, "expected": "1"},
        {"id": 4, "cases": cases, "expected": "1"},
    ]
    dataset = open_dataset(rows)
    assert [type(dataset[n].task).__name__ for n in range(3)] == ["CasesTask", "CasesTask", "OutputTask"]
    with pytest.raises(RewardkitUsageError, match="the row has 'cases' and 'expected'"):
        assert dataset[3].task


def test_a_sample_that_is_null_is_no_answer() -> None:
    samples = Samples([{"id": "a", "completion": None}, {"id": "b", "completion": None, "solution": "x = 1"}])
    assert [samples.read(key) for name in "ab" for key in samples.keys_of(name)] == ["", "x = 1"]


def test_a_file_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").touch()
    with pytest.raises(RewardkitUsageError, match=r"there is no file .*row.jsonl; did you mean 'rows.jsonl'\?"):
        open_dataset(tmp_path / "row.jsonl")


def test_fields_are_the_schema() -> None:
    rows = [{"id": 1, "prompt": "p", "expected": "x", "threshold": 0.5}]
    assert open_dataset(rows, fields=["prompt", "expected"])[0]["expected"] == "x"
    with pytest.raises(RewardkitUsageError, match=r"row 1: no field 'expectd'; did you mean 'expected'\?"):
        open_dataset(rows, fields=["prompt", "expectd"])
    with pytest.raises(RewardkitUsageError, match=r"row 1: unknown field 'expected'; known are: prompt"):
        open_dataset(rows, fields=["prompt"])
    with pytest.raises(RewardkitUsageError, match="fields must be a list of names"):
        open_dataset(rows, fields="prompt")  # a text is a sequence of letters


def test_fields_may_say_what_the_file_calls_them() -> None:
    row = open_dataset([{"no": 1, "truth": "x"}], fields={"expected": "truth"}, id="no")[0]
    assert (row["expected"], "truth" in row) == ("x", False)


def test_a_field_that_is_not_there_is_a_key_error_with_the_nearest() -> None:
    row = open_dataset([{"id": 1, "prompt": "p"}])[0]
    with pytest.raises(KeyError, match=r"row 1: no field 'promt'; did you mean 'prompt'\?"):
        row["promt"]
    assert row.get("promt", "none") == "none"


@pytest.mark.parametrize("limit", [0, -1, 1.5, True])
def test_a_limit_is_a_number_of_rows(limit: Any) -> None:
    with pytest.raises(RewardkitUsageError, match="limit must be a number of rows"):
        open_dataset(ROWS, limit=limit)


def test_parquet_without_pyarrow_names_the_command(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.touch()
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from pytest_rewardkit.datasets.rows import open_dataset\n"
        f"open_dataset({str(path)!r})"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "reading rows.parquet needs pyarrow: pip install 'pytest-rewardkit[parquet]'" in ended.stderr


def test_a_row_shows_its_id_as_one_line_that_nobody_acts_on() -> None:
    row = open_dataset([{"id": "a\n::error::stop\x1b[31m" + "x" * 500}])[0]
    assert repr(row).startswith(r"<Row a \x3a:error::stop\x1b[31mx") or "\n" not in repr(row)
    assert (repr(row).isprintable(), len(repr(row)) <= 200) == (True, True)


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


ASKED = [said("system", "Be brief."), said("user", "Say 1.")]
PARTS = [{"type": "text", "text": "print("}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "1)"}]
ANSWER = said("assistant", "print(1)")


@pytest.mark.parametrize(
    ("fields", "prompt", "candidate"),
    [
        ({"messages": [*ASKED, ANSWER]}, "Be brief.\n\nSay 1.", "print(1)"),
        ({"messages": [*ASKED, said("assistant", PARTS)]}, "Be brief.\n\nSay 1.", "print(1)"),
        ({"messages": [said("user", [{"type": "text", "text": "Say 1."}]), ANSWER]}, "Say 1.", "print(1)"),
        ({"messages": json.dumps([*ASKED, ANSWER])}, "Be brief.\n\nSay 1.", "print(1)"),
        (
            {"messages": [*ASKED, said("assistant", "x"), said("user", "No."), ANSWER]},
            "Be brief.\n\nSay 1.\n\nNo.",
            "print(1)",
        ),
        ({"messages": [*ASKED, ANSWER], "response": "print(2)"}, "Be brief.\n\nSay 1.", "print(2)"),
        ({"messages": [*ASKED, ANSWER], "prompt": "Other."}, "Other.", "print(1)"),
        ({"messages": [*ASKED, said("assistant", None)]}, "Be brief.\n\nSay 1.", ""),
        ({"prompt": ASKED, "completion": [ANSWER]}, "Be brief.\n\nSay 1.", "print(1)"),
        ({"prompt": "Say 1.", "completion": [said("assistant", PARTS)]}, "Say 1.", "print(1)"),
        ({"prompt": [said("user", "Say 1.")], "response": [ANSWER]}, "Say 1.", "print(1)"),
    ],
)
@pytest.mark.parametrize("format", ["rewardkit", None])
def test_rows_may_be_conversations(
    fields: dict[str, Any],
    prompt: str,
    candidate: str,
    format: str | None,  # noqa: A002
) -> None:
    form = find_format(format) if format else UNNAMED
    row = Row({**fields, "expected": "1"}, id="1", place="rows.jsonl:1", format=form)
    assert (row.task.prompt, row.candidate) == (prompt, candidate)


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        (ASKED, "rows.jsonl:1: the row's messages do not end with the assistant's; give samples="),
        ([*ASKED, ANSWER, said("user", "And 2?")], "the row's messages do not end with the assistant's"),
        ([], "the row has no candidate"),
        (["print(1)"], "the row has no candidate"),
    ],
)
def test_a_conversation_without_an_answer_has_no_candidate(messages: list[Any], complaint: str) -> None:
    row = Row({"messages": messages, "expected": "1"}, id="1", place="rows.jsonl:1", format=UNNAMED)
    with pytest.raises(RewardkitUsageError, match=complaint):
        _ = row.candidate


@pytest.mark.parametrize("messages", [[], ["Say 1."], [{"from": "human", "value": "Say 1."}], 3, "Say 1."])
def test_messages_of_other_kinds_are_a_field_like_others(messages: Any) -> None:
    row = Row({"messages": messages, "expected": "1", "response": "1"}, id="1", place="rows.jsonl:1", format=UNNAMED)
    assert (row.task.prompt, row.candidate) == (None, "1")


def test_a_benchmarks_own_messages_are_no_candidate() -> None:
    fields = {"messages": [*ASKED, ANSWER], "task_id": "1", "text": "", "test_list": ["assert f() == 1"]}
    with pytest.raises(RewardkitUsageError, match="the row"):
        _ = Row(fields, id="1", place="rows.jsonl:1", format=find_format("mbpp")).candidate


@pytest.mark.parametrize(
    "content",
    [
        [{"id": "a", "completion": [ANSWER]}, {"id": "a", "messages": [*ASKED, said("assistant", PARTS)]}],
        {"a": [[ANSWER], "print(1)"]},
        {"a": [ANSWER]},
    ],
)
def test_samples_may_be_conversations(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "samples.json"
    path.write_text(json.dumps(content))
    samples = Samples(path)
    assert {samples.read(key) for key in samples.keys_of("a")} == {"print(1)"}


@pytest.mark.parametrize("completion", [[], [1], {"role": "assistant"}, [{"text": "x"}]])
def test_samples_of_other_kinds_are_refused(completion: Any) -> None:
    with pytest.raises(RewardkitUsageError, match="row 1: 'completion' must hold a text, or messages, not"):
        Samples([{"id": "a", "completion": completion}])


def test_ids_may_be_numbers_of_any_length() -> None:
    [entry] = open_dataset([{"id": 10**5000}]).entries
    assert entry.id == f"1{'0' * 5000}"
