"""Files under a temporary name: replaced, continued, renamed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from latcpb_cli.errors import OutputError
from latcpb_cli.io.writers.part_file import PartFile, PartStates, output_error, undo_renames


def test_a_part_takes_its_name_when_it_is_committed(tmp_path):
    (tmp_path / "a.txt.part").write_bytes(b"of another run")
    part = PartFile(tmp_path / "a.txt", volatile=slice(4, 7))
    part.write(b"one two")
    part.patch(4, b"TWO")
    part.write(b" three")
    assert part.sync().size == 13
    assert not (tmp_path / "a.txt").exists()
    part.commit()
    assert (tmp_path / "a.txt").read_bytes() == b"one TWO three"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_only_what_was_written_since_is_flushed_to_the_disk(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    part = PartFile(tmp_path / "a.txt", volatile=slice(0, 3))
    for change in (lambda: part.write(b"one two"), lambda: part.patch(0, b"ONE"), lambda: part.write(b"!")):
        change()
        state = part.sync()
        assert part.sync() == state
    assert len(flushed) == 3
    part.path.unlink()
    with pytest.raises(OutputError, match="a.txt.part"):
        part.sync()
    part.close()


def interrupted(tmp_path) -> PartStates:
    """Leave a part with bytes behind the last safe ones."""
    part = PartFile(tmp_path / "a.txt")
    part.write(b"safe")
    state = part.sync()
    part.write(b", and lost")
    part.close()
    return {"a.txt": state}


def test_a_part_is_continued_after_the_bytes_that_are_safe(tmp_path):
    part = PartFile(tmp_path / "a.txt", interrupted(tmp_path))
    part.write(b" and sound")
    part.commit()
    assert (tmp_path / "a.txt").read_bytes() == b"safe and sound"


@pytest.mark.parametrize("content", [None, b"saf", b"sofa bed"], ids=["missing", "too short", "changed"])
def test_a_part_that_cannot_be_continued(tmp_path, content):
    states = interrupted(tmp_path)
    (tmp_path / "a.txt.part").unlink()
    if content is not None:
        (tmp_path / "a.txt.part").write_bytes(content)
    with pytest.raises(OutputError, match="gone, cut or changed"):
        PartFile(tmp_path / "a.txt", states)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_part_that_is_no_longer_there_is_noticed(tmp_path, replaced):
    part = PartFile(tmp_path / "a.txt")
    part.write(b"one")
    part.path.unlink()
    if replaced:
        part.path.write_bytes(b"one")
    with pytest.raises(OutputError, match=r"a\.txt\.part: "):
        part.sync()


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.ENAMETOOLONG, "choose a shorter"),
        (errno.EACCES, "choose another"),
        (errno.EROFS, "choose another"),
        (errno.ENOENT, "choose another"),
        (errno.EIO, "choose another"),
        (errno.EFBIG, "choose another"),
    ],
)
def test_hints_follow_from_the_fault(code, hint):
    error = output_error(Path("a.txt"), OSError(code, os.strerror(code)))
    assert error.message == f"a.txt: {os.strerror(code)}"
    assert error.hint.startswith(hint)


def test_bytes_that_may_change_are_not_part_of_the_checksum(tmp_path):
    part = PartFile(tmp_path / "a.txt", volatile=slice(4, 7))
    part.write(b"one two three")
    state = part.sync()
    part.patch(4, b"TWO")
    part.close()
    PartFile(tmp_path / "a.txt", {"a.txt": state}, slice(4, 7)).commit()
    assert (tmp_path / "a.txt").read_bytes() == b"one TWO three"


def test_renames_are_undone_where_there_is_no_part(tmp_path):
    for name in ("a.txt", "b.txt", "b.txt.part"):
        (tmp_path / name).write_text(name)
    undo_renames([tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "c.txt"])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.txt.part", "b.txt", "b.txt.part"]
    assert (tmp_path / "a.txt.part").read_text() == "a.txt"
