"""The SDK's files: both kinds of upload, downloads, signed URLs, and locations."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from e2b import FileNotFoundException, FileType, InvalidArgumentException
from e2b.exceptions import NotEnoughSpaceException
from e2b.sandbox.filesystem.filesystem import WriteEntry

if TYPE_CHECKING:
    from e2b_code_interpreter import Sandbox

ODD_NAMES = ["a b", "ü", 'quo"te', "back\\slash", "per%20cent", "semi;colon", "new\nline" * 0 + "plus+plus"]


@pytest.mark.parametrize("octets", [False, True], ids=["multipart", "octet-stream"])
def test_write_and_read(sandbox: Sandbox, octets: bool) -> None:
    info = sandbox.files.write("deep/er/file.txt", "täxt", use_octet_stream=octets)
    assert (info.name, info.path) == ("file.txt", "/home/user/deep/er/file.txt")
    assert sandbox.files.read("/home/user/deep/er/file.txt") == "täxt"
    sandbox.files.write("~/deep/er/file.txt", b"\x00\xff", use_octet_stream=octets)
    assert bytes(sandbox.files.read("deep/er/file.txt", format="bytes")) == b"\x00\xff"
    sandbox.files.write("deep/er/file.txt", b"", use_octet_stream=octets)
    assert sandbox.files.read("deep/er/file.txt") == ""


def test_file_objects_and_gzip(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 10_000
    sandbox.files.write("stream", io.BytesIO(data))
    assert bytes(sandbox.files.read("stream", format="bytes")) == data
    sandbox.files.write("packed", data, gzip=True)
    assert bytes(sandbox.files.read("packed", format="bytes", gzip=True)) == data
    assert b"".join(sandbox.files.read("packed", format="stream")) == data


def test_several_files_in_one_upload(sandbox: Sandbox) -> None:
    entries = [WriteEntry(path=f"/tmp/many/{name}", data=name) for name in ODD_NAMES[:2] + ODD_NAMES[4:]]
    written = sandbox.files.write_files(entries)
    assert [info.path for info in written] == [entry["path"] for entry in entries]
    for entry in entries:
        assert sandbox.files.read(entry["path"]) == entry["data"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(sandbox: Sandbox, name: str) -> None:
    sandbox.files.write(f"odd/{name}", name)
    assert sandbox.files.read(f"odd/{name}") == name
    assert [entry.name for entry in sandbox.files.list("odd")] == [name]


def test_one_path_twice_in_an_upload_is_refused(sandbox: Sandbox) -> None:
    twice = [WriteEntry(path="/tmp/same", data="1"), WriteEntry(path="/tmp/./same", data="2")]
    with pytest.raises(InvalidArgumentException, match="two files"):
        sandbox.files.write_files(twice)


def test_what_cannot_be_read_or_written(sandbox: Sandbox) -> None:
    with pytest.raises(FileNotFoundException, match="path '/home/user/nothing' does not exist"):
        sandbox.files.read("nothing")
    with pytest.raises(InvalidArgumentException, match="is a directory"):
        sandbox.files.read("/home/user")
    with pytest.raises(InvalidArgumentException, match="is a directory"):
        sandbox.files.write("/home/user", "x")


def test_no_space_left(sandbox: Sandbox) -> None:
    chunk = b"x" * 2**20
    with pytest.raises(NotEnoughSpaceException):
        sandbox.files.write("large", (chunk for _ in range(600)))


def test_exists_and_info(sandbox: Sandbox) -> None:
    sandbox.files.write("thing", "12345")
    assert sandbox.files.exists("thing")
    assert not sandbox.files.exists("no thing")
    info = sandbox.files.get_info("thing")
    assert (info.name, info.type, info.path, info.size) == ("thing", FileType.FILE, "/home/user/thing", 5)
    assert (info.mode, info.permissions, info.owner, info.group) == (0o644, "-rw-r--r--", "user", "user")
    with pytest.raises(FileNotFoundException):
        sandbox.files.get_info("no thing")


def test_a_link_tells_its_target(sandbox: Sandbox) -> None:
    sandbox.files.write("target", "x")
    sandbox.commands.run("ln -s target link; ln -s /nowhere broken")
    info = sandbox.files.get_info("link")
    assert (info.type, info.symlink_target) == (FileType.FILE, "/home/user/target")
    assert sandbox.files.get_info("broken").name == "broken"


def test_list_by_depth(sandbox: Sandbox) -> None:
    sandbox.commands.run("mkdir -p tree/b/c tree/a; touch tree/b/c/file tree/z")
    assert [entry.path for entry in sandbox.files.list("tree")] == [f"/home/user/tree/{name}" for name in "abz"]
    deep = [entry.path.removeprefix("/home/user/tree/") for entry in sandbox.files.list("tree", depth=3)]
    assert deep == ["a", "b", "b/c", "b/c/file", "z"]
    with pytest.raises(FileNotFoundException):
        sandbox.files.list("nowhere")
    with pytest.raises(InvalidArgumentException):
        sandbox.files.list("tree/z")


def test_make_rename_remove(sandbox: Sandbox) -> None:
    assert sandbox.files.make_dir("new/er") is True
    assert sandbox.files.make_dir("new/er") is False
    sandbox.files.write("new/er/file", "x")
    with pytest.raises(InvalidArgumentException):
        sandbox.files.make_dir("new/er/file")
    assert sandbox.files.rename("new/er", "/tmp/else/where").path == "/tmp/else/where"
    assert sandbox.files.read("/tmp/else/where/file") == "x"
    with pytest.raises(FileNotFoundException):
        sandbox.files.rename("nothing", "something")
    sandbox.files.remove("/tmp/else")
    assert not sandbox.files.exists("/tmp/else")
    sandbox.files.remove("/tmp/else")


def test_metadata_of_a_file(sandbox: Sandbox) -> None:
    written = sandbox.files.write("tagged", "x", metadata={"Colour": "blue"})
    assert written.metadata == {"colour": "blue"}
    assert sandbox.files.get_info("tagged").metadata == {"colour": "blue"}
    sandbox.files.write("tagged", "y", metadata={"size": "1"})
    assert sandbox.files.get_info("tagged").metadata == {"size": "1"}


def test_signed_urls_need_no_header(sandbox: Sandbox) -> None:
    sandbox.files.write("a b", "signed")
    url = sandbox.download_url("a b", use_signature_expiration=60)
    with urllib.request.urlopen(url) as response:
        assert response.read() == b"signed"
    upload = urllib.request.Request(
        sandbox.upload_url("up"), b"sent", {"Content-Type": "application/octet-stream"}, method="POST"
    )
    with urllib.request.urlopen(upload) as response:
        assert response.status == 200
    assert sandbox.files.read("up") == "sent"


def test_a_signature_is_for_one_file_operation_and_time(sandbox: Sandbox) -> None:
    sandbox.files.write("a", "x")
    sandbox.files.write("b", "x")

    def status(url: str, method: str = "GET") -> tuple[int, str]:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method=method)) as response:
                return response.status, ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    url = sandbox.download_url("a")
    assert status(url)[0] == 200
    assert "invalid signature" in status(url.replace("path=a", "path=b"))[1]
    assert "invalid signature" in status(url, "POST")[1]
    assert "missing signature" in status(url.partition("&")[0])[1]
    expired = sandbox.download_url("a", use_signature_expiration=-10)
    assert status(expired)[0] == 401
    assert "already expired" in status(expired)[1]
