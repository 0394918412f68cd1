"""File operations of a guest, as its sandbox sees the files."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

import pytest
from guest_driver import Box, ForkServer, RequestFailedError

HOME = "/home/user"


@pytest.fixture(scope="module", params=["auto", "landlock"])
def fork_server(request):
    """Once with the strongest level, once with one whose paths are translated."""
    with ForkServer("--isolation", request.param) as server:
        yield server


@pytest.fixture
def box(fork_server: ForkServer):
    with fork_server.spawn() as box:
        yield box


def failure(box: Box, operation: str, **fields: object) -> tuple[str, str]:
    with pytest.raises(RequestFailedError) as caught:
        box.request(operation, **fields)
    return caught.value.code, str(caught.value)


def names(box: Box, path: str, **fields: object) -> list[str]:
    return [entry["path"] for entry in box.request("list", path=path, **fields)["entries"]]


def test_what_is_written_is_read_and_described(box):
    entry = box.write(f"{HOME}/a/b/data.txt", b"hello")
    assert box.read(f"{HOME}/a/b/data.txt") == b"hello"
    assert entry["path"] == f"{HOME}/a/b/data.txt"
    entry = box.request("stat", path=f"{HOME}/a/b/data.txt")["entry"]
    modified = entry.pop("modifiedTime")
    assert modified.endswith("Z")
    assert entry == {
        "name": "data.txt",
        "type": "FILE_TYPE_FILE",
        "path": f"{HOME}/a/b/data.txt",
        "size": "5",
        "mode": 0o644,
        "permissions": "-rw-r--r--",
        "owner": "user",
        "group": "user",
    }


def test_writing_empties_the_file_first(box):
    box.write("f", b"a long text")
    box.write("f", b"short")
    assert box.read("f") == b"short"


def test_files_are_those_that_cells_and_commands_see(box):
    box.write("from_server", b"1")
    outcome = box.kernel().run("open('from_server').read(), open('from_cell', 'w').write('22')")
    assert outcome.text == "('1', 2)"
    assert box.read("from_cell") == b"22"
    assert box.run("cat from_server from_cell; echo 333 > $HOME/from_command")[0] == "122"
    assert box.read(f"{HOME}/from_command") == b"333\n"


@pytest.mark.parametrize(
    ("path", "meant"),
    [("f", f"{HOME}/f"), ("~/f", f"{HOME}/f"), ("./d/../f", f"{HOME}/f"), ("//tmp//f", "/tmp/f"), ("/tmp/f", "/tmp/f")],
)
def test_paths_are_resolved_as_in_e2b(box, path, meant):
    assert box.write(path, b"")["path"] == meant
    assert box.request("stat", path=meant)["entry"]["path"] == meant


def test_the_home_directory_by_its_short_names(box):
    for path in ("", "~", ".", HOME):
        entry = box.request("stat", path=path)["entry"]
        assert (entry["path"], entry["type"]) == (HOME, "FILE_TYPE_DIRECTORY")


@pytest.mark.parametrize("path", ["~root/f", "a\0b", 5, None, ["a"]])
def test_what_is_no_path_is_refused(box, path):
    for operation in ("stat", "list", "mkdir", "remove", "open"):
        assert failure(box, operation, path=path, mode="r")[0] == "invalid_argument"


def test_listing_goes_as_deep_as_asked_and_in_order(box):
    for path in ("b/two", "b/one", "a", "c/deep/er"):
        box.write(path, b"")
    assert names(box, HOME) == [f"{HOME}/{name}" for name in ("a", "b", "c")]
    assert names(box, "", depth=0) == names(box, "", depth=1)
    assert names(box, "", depth=2) == [f"{HOME}/{name}" for name in ("a", "b", "b/one", "b/two", "c", "c/deep")]
    assert len(names(box, "", depth=10)) == 7


def test_listing_does_not_follow_links(box):
    box.write("d/f", b"")
    box.run("ln -s . d/loop; ln -s / d/root")
    assert names(box, "d", depth=5) == [f"{HOME}/d/f", f"{HOME}/d/loop", f"{HOME}/d/root"]


@pytest.mark.parametrize("depth", [-1, "1", 1.5, True])
def test_a_depth_that_is_no_number_is_refused(box, depth):
    assert failure(box, "list", path="", depth=depth)[0] == "invalid_argument"


def test_links_carry_their_targets_type(box):
    box.write("d/f", b"123")
    box.run("ln -s d/f file; ln -s d dir; ln -s nowhere broken")
    entry = box.request("stat", path="file")["entry"]
    assert (entry["type"], entry["symlinkTarget"]) == ("FILE_TYPE_FILE", f"{HOME}/d/f")
    assert box.request("stat", path="dir")["entry"]["type"] == "FILE_TYPE_DIRECTORY"
    assert box.request("stat", path="broken")["entry"]["type"] == "FILE_TYPE_SYMLINK"


def test_missing_files(box):
    assert failure(box, "stat", path="none") == ("not_found", f"path '{HOME}/none' does not exist")
    assert failure(box, "list", path="none") == ("not_found", f"path '{HOME}/none' does not exist")
    assert failure(box, "open", path="none", mode="r") == ("not_found", f"path '{HOME}/none' does not exist")
    assert failure(box, "move", source="none", destination="x")[0] == "not_found"
    assert box.request("remove", path="none") == {}


def test_the_wrong_kind_of_file(box):
    box.write("f", b"")
    box.request("mkdir", path="d")
    assert failure(box, "list", path="f") == ("invalid_argument", f"path '{HOME}/f' is not a directory")
    assert failure(box, "open", path="d", mode="r") == ("invalid_argument", f"path '{HOME}/d' is a directory")
    assert failure(box, "open", path="d", mode="w") == ("invalid_argument", f"path '{HOME}/d' is a directory")
    assert failure(box, "mkdir", path="d")[0] == "already_exists"
    assert failure(box, "mkdir", path="f")[0] == "invalid_argument"
    assert failure(box, "mkdir", path="f/x")[0] == "invalid_argument"
    assert failure(box, "open", path="f", mode="rw")[0] == "invalid_argument"


def test_directories_are_made_with_their_parents(box):
    entry = box.request("mkdir", path="x/y/z")["entry"]
    assert (entry["path"], entry["type"], entry["permissions"]) == (
        f"{HOME}/x/y/z",
        "FILE_TYPE_DIRECTORY",
        "drwxr-xr-x",
    )


def test_moving_makes_parents_and_crosses_directories(box):
    box.write("f", b"x")
    assert box.request("move", source="f", destination="p/q/g")["entry"]["path"] == f"{HOME}/p/q/g"
    assert box.request("move", source="p", destination="/tmp/p")["entry"]["path"] == "/tmp/p"
    assert box.read("/tmp/p/q/g") == b"x"
    assert names(box, "") == []


def test_removing_takes_all_below(box):
    box.write("d/e/f", b"")
    box.run("chmod 0 d/e; mkfifo d/pipe; ln -s /etc d/etc")
    box.run("chmod 700 d/e")
    box.request("remove", path="d")
    assert names(box, "") == []
    assert box.request("stat", path="/etc/passwd")["entry"]["type"] == "FILE_TYPE_FILE"


def test_removing_a_link_leaves_its_target(box):
    box.write("d/f", b"")
    box.run("ln -s d link")
    box.request("remove", path="link")
    assert names(box, "", depth=2) == [f"{HOME}/d", f"{HOME}/d/f"]


def test_a_tree_deeper_than_any_path_is_listed_and_removed(box):
    code = "import os\nfor _ in range(1200):\n    os.mkdir('d')\n    os.chdir('d')"
    assert box.kernel().run(code).error is None
    assert len(names(box, "", depth=100)) == 100
    box.request("remove", path="d")
    assert names(box, "") == []


def test_pipes_and_devices_are_not_opened(box):
    box.run("mkfifo pipe")
    for mode in ("r", "w"):
        assert failure(box, "open", path="pipe", mode=mode)[0] in ("invalid_argument", "internal")
        assert failure(box, "open", path="/dev/null", mode=mode)[0] == "invalid_argument"


@pytest.mark.parametrize("path", ["/etc/rewardkit", "/usr/rewardkit", "/proc/sys/kernel/hostname", "/rewardkit"])
def test_nothing_is_written_outside(box, path):
    assert failure(box, "open", path=path, mode="w")[0] in ("permission_denied", "not_found")
    assert failure(box, "mkdir", path=f"{path}/d")[0] in ("permission_denied", "invalid_argument", "not_found")


def test_links_out_of_the_sandbox_lead_nowhere_secret(box):
    secret = Path(__file__)
    box.run(f"ln -s {secret} link; ln -s {secret.parent} dir; ln -s /proc/1/root{secret} proc")
    for path in ("link", "proc", f"dir/{secret.name}", f"/proc/self/root{secret}", str(secret)):
        assert failure(box, "open", path=path, mode="r")[0] in ("not_found", "permission_denied")
    before = secret.read_bytes()
    for path in ("dir/new", f"/proc/self/root{secret.parent}/new", str(secret.parent / "new"), str(secret)):
        # If the tests lie below /tmp, the sandbox may write to such a path: in its own /tmp.
        with contextlib.suppress(RequestFailedError):
            box.request("open", path=path, mode="w")
    assert not (secret.parent / "new").exists()
    assert secret.read_bytes() == before


def test_names_that_are_no_text(box):
    box.kernel().run("import os\nopen(b'\\xff\\xfe', 'w').close()\nopen('\\u2028\\n\\x1b[31m', 'w').close()")
    found = [entry["name"] for entry in box.request("list", path="")["entries"]]
    assert sorted(found) == sorted(["\\xff\\xfe", "\u2028\n\x1b[31m"])


def test_dates_beyond_any_calendar(box):
    box.kernel().run("import os\nopen('f', 'w').close()\nos.utime('f', ns=(0, 2**62))\nos.utime('f', (0, 10**11))")
    assert box.request("stat", path="f")["entry"]["modifiedTime"].endswith("Z")


def test_a_directory_with_too_many_files_to_send(fork_server):
    with fork_server.spawn(disk_mb=1024) as box:
        # A character beyond ASCII takes three bytes in a name, and six in JSON, twice.
        kernel = box.kernel()
        for start in range(0, 16_000, 1_000):
            kernel.run(f"for n in range({start}, {start + 1_000}): open(f'{{n:06}}' + '\u2028' * 80, 'w').close()")
        code, message = failure(box, "list", path="")
        assert code == "resource_exhausted"
        assert "over the limit" in message


def test_metadata_is_kept_and_replaced(box):
    box.write("f", b"", metadata={"author": "me", "kind": "draft"})
    assert box.request("stat", path="f")["entry"]["metadata"] == {"author": "me", "kind": "draft"}
    box.write("f", b"", metadata={"author": "you"})
    assert box.request("stat", path="f")["entry"]["metadata"] == {"author": "you"}
    box.write("f", b"")
    assert "metadata" not in box.request("stat", path="f")["entry"]


def test_the_servers_descriptor_is_good_for_one_thing(box):
    _, (descriptor,) = box.answer(box.send("open", path="f", mode="w"))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.read(descriptor, 1)
    assert stat.S_ISREG(os.fstat(descriptor).st_mode)
    os.close(descriptor)


def test_unknown_operations_are_refused(box):
    assert failure(box, "reboot") == ("invalid_argument", "unknown operation 'reboot'")
    assert failure(box, "") == ("invalid_argument", "unknown operation ''")


def watch(box: Box, path: str, **fields: object) -> int:
    return box.request("watch", path=path, **fields)["watch"]


def changes(box: Box, number: int) -> list[tuple[str, str]]:
    """Return all changes so far, starting with those that were sent without a request."""
    answer = box.request("watch_events", watch=number)
    sent = [event for event in box.events if event["event"] == "changes" and event["watch"] == number]
    box.events = [event for event in box.events if event not in sent]
    found = [change for event in (*sent, answer) for change in event["changes"]]
    return [(change["name"], change["type"].removeprefix("EVENT_TYPE_")) for change in found]


def test_watching_reports_what_a_write_did(box):
    """The server asks directly after its write, and must get all changes."""
    number = watch(box, "")
    box.write("new", b"content")
    assert changes(box, number) == [("new", "CREATE"), ("new", "CHMOD"), ("new", "WRITE")]
    box.write("new", b"other content")
    assert set(changes(box, number)) == {("new", "WRITE")}
    assert changes(box, number) == []


def test_watching_reports_changes_of_commands(box):
    box.run("mkdir d; touch d/old")
    number = watch(box, "d")
    box.run("cd d; mv old new; chmod 600 new; rm new; mkdir sub; touch sub/unseen")
    assert changes(box, number) == [
        ("old", "RENAME"),
        ("new", "CREATE"),
        ("new", "CHMOD"),
        ("new", "REMOVE"),
        ("sub", "CREATE"),
    ]


def test_watching_recursively_sees_directories_made_later(box):
    box.run("mkdir -p a/b")
    number = watch(box, "", recursive=True)
    box.run("touch a/b/old; mkdir -p a/c/d; touch a/c/d/new")
    assert [name for name, kind in changes(box, number) if kind == "CREATE"] == ["a/b/old", "a/c", "a/c/d", "a/c/d/new"]
    box.run("echo > a/c/d/new")
    assert ("a/c/d/new", "WRITE") in changes(box, number)


def test_watching_tells_the_server_as_it_happens(box):
    number = watch(box, "", entries=True)
    box.run("mkdir d")
    (change,) = box.event("changes", watch=number)["changes"]
    assert (change["name"], change["type"]) == ("d", "EVENT_TYPE_CREATE")
    assert change["entry"]["path"] == f"{HOME}/d"
    box.run("rmdir d")
    (change,) = box.event("changes", watch=number)["changes"]
    assert change == {"name": "d", "type": "EVENT_TYPE_REMOVE"}


def test_watching_ends_when_asked_and_refuses_what_is_no_directory(box):
    number = watch(box, "")
    box.request("unwatch", watch=number)
    for operation in ("watch_events", "unwatch"):
        assert failure(box, operation, watch=number)[0] == "not_found"
        assert failure(box, operation, watch=None)[0] == "not_found"
    box.write("f", b"")
    assert failure(box, "watch", path="f")[0] == "invalid_argument"
    assert failure(box, "watch", path="none")[0] == "not_found"


def test_watching_is_bounded(box):
    for _ in range(64):
        watch(box, "")
    assert failure(box, "watch", path="")[0] == "resource_exhausted"
    box.kernel().run("import os\nfor n in range(500): os.mkdir(str(n)); os.rmdir(str(n))")
    assert box.run("echo fine")[0] == "fine\n"
