"""Files under a temporary name: replaced, continued, renamed."""

from __future__ import annotations

import pytest

from latcpb_cli.errors import UsageError
from latcpb_cli.io.writers.part_file import PartFile, undo_renames


def test_a_part_takes_its_name_when_it_is_committed(tmp_path):
    (tmp_path / "a.txt.part").write_bytes(b"of another run")
    part = PartFile(tmp_path / "a.txt")
    part.write(b"one two")
    part.patch(4, b"TWO")
    part.write(b" three")
    assert part.sync() == 13
    assert not (tmp_path / "a.txt").exists()
    part.commit()
    assert (tmp_path / "a.txt").read_bytes() == b"one TWO three"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_part_is_continued_after_the_bytes_that_are_safe(tmp_path):
    (tmp_path / "a.txt.part").write_bytes(b"safe, and lost")
    part = PartFile(tmp_path / "a.txt", {"a.txt": 4})
    part.write(b" and sound")
    part.commit()
    assert (tmp_path / "a.txt").read_bytes() == b"safe and sound"


@pytest.mark.parametrize("content", [None, b"abc"], ids=["missing", "too short"])
def test_a_part_that_cannot_be_continued(tmp_path, content):
    if content is not None:
        (tmp_path / "a.txt.part").write_bytes(content)
    with pytest.raises(UsageError, match="gone or cut"):
        PartFile(tmp_path / "a.txt", {"a.txt": 4})


def test_renames_are_undone_where_there_is_no_part(tmp_path):
    for name in ("a.txt", "b.txt", "b.txt.part"):
        (tmp_path / name).write_text(name)
    undo_renames([tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "c.txt"])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.txt.part", "b.txt", "b.txt.part"]
    assert (tmp_path / "a.txt.part").read_text() == "a.txt"
