"""The journal: what it holds, what of it counts after a crash, and which runs it lets go on."""

from __future__ import annotations

import json
import os

import pytest

from latcpb_cli.errors import OutputError, UsageError
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.run.journal import Journal, JournalEntry, input_identity, journal_path

SETTINGS = {"seed": 0, "mode": "best", "inputs": [{"file": "a.xtc", "size": 12345678901234567890}]}
FIRST = JournalEntry(
    frames=5,
    sizes={"out.xtc": 100, "out.top.pdb": 7},
    seconds=1.5,
    displacement=CaDisplacement(10, 2, 0.5, 0.3),
    overlap_counts=OverlapCounts(3, 2, 1),
    bridges=((1, 4),),
    problems={2: "exploded"},
)
SECOND = JournalEntry(frames=9, sizes={"out.xtc": 180, "out.top.pdb": 7}, problems={7: "collapsed"})


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.xtc"


def write(output, *entries, settings=SETTINGS) -> None:
    with Journal(output, settings, resume=False) as journal:
        for entry in entries:
            journal.add(entry)


def test_an_entry_survives_the_file(output):
    write(output, FIRST)
    with Journal(output, SETTINGS, resume=True) as journal:
        assert journal.entry == FIRST
        assert not journal.renaming


def test_problems_of_all_entries_add_up(output):
    write(output, FIRST, SECOND)
    with Journal(output, SETTINGS, resume=True) as journal:
        assert journal.entry.frames == 9
        assert journal.entry.problems == {2: "exploded", 7: "collapsed"}


@pytest.mark.parametrize("tail", [b'{"frames": 9, "si', b"\0\0\0\n", b"not json\n"])
def test_damaged_lines_at_the_end_do_not_count(output, tail):
    write(output, FIRST)
    whole = journal_path(output).read_bytes()
    journal_path(output).write_bytes(whole + tail)
    with Journal(output, SETTINGS, resume=True) as journal:
        assert journal.entry == FIRST
        journal.add(SECOND)
    assert journal_path(output).read_bytes().startswith(whole + b'{"frames": 9, ')


def test_the_begin_of_renaming_is_recorded(output):
    with Journal(output, SETTINGS, resume=False) as journal:
        journal.add(FIRST)
        journal.begin_renaming()
    with Journal(output, SETTINGS, resume=True) as journal:
        assert journal.renaming


def test_a_journal_without_entries_is_removed(output):
    write(output)
    assert not journal_path(output).exists()


def test_without_resume_a_journal_is_replaced(output):
    write(output, FIRST)
    with Journal(output, {"seed": 7}, resume=False) as journal:
        assert journal.entry is None
    assert not journal_path(output).exists()


def test_a_complete_run_has_no_journal(output):
    with Journal(output, SETTINGS, resume=False) as journal:
        journal.add(FIRST)
        journal.remove()
    assert not journal_path(output).exists()


def test_differences_of_settings_are_named(output):
    write(output, FIRST)
    changed = SETTINGS | {
        "seed": 7,
        "mode": "exact",
        "inputs": [{"file": "b.xtc", "size": 12345678901234567890}],
    }
    with pytest.raises(UsageError) as caught:
        Journal(output, changed, resume=True)
    assert caught.value.message.endswith(
        'the interrupted run had another inputs; mode "best", now "exact"; seed 0, now 7'
    )
    assert "without --resume" in caught.value.hint


def test_a_full_disk_is_an_output_error(output, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"out\.xtc\.journal: No space left on device"):
        Journal(output, SETTINGS, resume=False)
    assert not journal_path(output).exists()


def test_identity_of_an_input_changes_with_the_file(tmp_path):
    path = tmp_path / "a.xtc"
    path.write_bytes(b"one")
    os.utime(path, ns=(0, 10))
    (before,) = input_identity([path])
    assert before == json.loads(json.dumps(before))
    assert input_identity([path]) == [before]
    os.utime(path, ns=(0, 20))
    assert input_identity([path]) != [before]
    path.write_bytes(b"two")
    os.utime(path, ns=(0, 10))
    assert input_identity([path]) != [before]
