"""The journal: what it holds, what of it counts after a crash, which runs go on, who is locked out."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from latcpb_cli.errors import ExitCode, OutputError, UsageError
from latcpb_cli.io.writers.part_file import PartState
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.displacement import CaDisplacement
from latcpb_cli.run.journal import Journal, JournalEntry, input_identity, journal_path

SETTINGS = {"seed": 0, "mode": "best", "inputs": [{"file": "a.xtc", "size": 12345678901234567890}]}
FIRST = JournalEntry(
    frames=5,
    parts={"out.xtc": PartState(100, 17), "out.top.pdb": PartState(7, 0)},
    seconds=1.5,
    displacement=CaDisplacement(10, 2, 0.5, 0.3),
    overlap_counts=OverlapCounts(3, 2, 1),
    bridges=((1, 4),),
    problems={2: "exploded"},
)
SECOND = JournalEntry(frames=9, parts={"out.xtc": PartState(180, 99)}, problems={7: "collapsed"})


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.xtc"


def write(output, *entries, settings=SETTINGS) -> bytes:
    with Journal(output) as journal:
        journal.begin(settings, resume=False)
        for entry in entries:
            journal.add(entry)
    return journal_path(output).read_bytes() if entries else b""


def read(output, settings=SETTINGS) -> Journal:
    with Journal(output) as journal:
        journal.begin(settings, resume=True)
    return journal


def test_an_entry_survives_the_file(output):
    write(output, FIRST)
    journal = read(output)
    assert journal.entry == FIRST
    assert not journal.renaming


def test_problems_of_all_entries_add_up(output):
    write(output, FIRST, SECOND)
    entry = read(output).entry
    assert entry.frames == 9
    assert entry.problems == {2: "exploded", 7: "collapsed"}


def test_a_line_that_a_crash_cut_off_does_not_count(output):
    whole = write(output, FIRST)
    longer = write(output, FIRST, SECOND)
    for length in (len(whole) + 1, len(longer) - 1):
        journal_path(output).write_bytes(longer[:length])
        with Journal(output) as journal:
            journal.begin(SETTINGS, resume=True)
            assert journal.entry == FIRST
            journal.add(SECOND)
        assert journal_path(output).read_bytes() == longer


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace(b'"frames": 5', b'"frames": 6'),
        lambda text: b"".join(text.splitlines(keepends=True)[::2]),
        lambda text: text + b"not json\n",
        lambda text: text + b'{"rows": 1}\t00000000\n',
        lambda text: text + b"\0\0\0\n",
        lambda text: b'["a list"]\n' + text,
    ],
)
def test_an_edited_journal_is_refused(output, damage):
    journal_path(output).write_bytes(damage(write(output, FIRST, SECOND)))
    with pytest.raises(
        OutputError, match=r"out\.xtc\.journal: the journal is damaged or was edited"
    ) as caught:
        read(output)
    assert "without --resume" in caught.value.hint
    assert caught.value.exit_code is ExitCode.OUTPUT_EXISTS
    assert journal_path(output).exists()


def test_the_begin_of_renaming_is_recorded(output):
    with Journal(output) as journal:
        journal.begin(SETTINGS, resume=False)
        journal.add(FIRST)
        journal.begin_renaming()
    assert read(output).renaming


def test_a_journal_without_entries_is_removed(output):
    write(output)
    assert not journal_path(output).exists()
    with Journal(output):
        assert journal_path(output).exists()
    assert not journal_path(output).exists()


def test_a_refused_run_leaves_the_journal_of_an_interrupted_one(output):
    before = write(output, FIRST)
    with Journal(output) as journal:
        assert journal.has_entries
    assert journal_path(output).read_bytes() == before


def test_without_resume_a_journal_is_replaced(output):
    write(output, FIRST)
    with Journal(output) as journal:
        journal.begin({"seed": 7}, resume=False)
        assert journal.entry is None
    assert not journal_path(output).exists()


def test_a_complete_run_has_no_journal(output):
    with Journal(output) as journal:
        journal.begin(SETTINGS, resume=False)
        journal.add(FIRST)
        journal.remove()
    assert not journal_path(output).exists()


def test_a_second_run_is_locked_out_until_the_first_has_ended(output):
    with Journal(output) as first:
        with pytest.raises(OutputError, match=r"out\.xtc: another run is writing it"):
            Journal(output)
        first.begin(SETTINGS, resume=False)
        first.add(FIRST)
        with pytest.raises(OutputError, match="another run"):
            Journal(output)
        first.remove()
    with Journal(output):
        pass


def test_a_killed_run_locks_nobody_out(output):
    script = (
        "import os, sys, pathlib; from latcpb_cli.run.journal import Journal; "
        "Journal(pathlib.Path(sys.argv[1])).begin({}, False); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(output)], check=False)
    assert journal_path(output).exists()
    write(output, FIRST)
    assert read(output).entry == FIRST


def test_a_journal_that_is_a_folder_is_an_output_error(output):
    journal_path(output).mkdir()
    with pytest.raises(OutputError, match=r"out\.xtc\.journal: Is a directory"):
        Journal(output)


def test_differences_of_settings_are_named(output):
    write(output, FIRST)
    changed = SETTINGS | {
        "seed": 7,
        "mode": "exact",
        "inputs": [{"file": "b.xtc", "size": 12345678901234567890}],
    }
    with pytest.raises(UsageError) as caught:
        read(output, changed)
    assert caught.value.message.endswith(
        'the interrupted run had another inputs; mode "best", now "exact"; seed 0, now 7'
    )
    assert "without --resume" in caught.value.hint


def test_a_full_disk_is_an_output_error(output, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"out\.xtc\.journal: No space left on device") as caught:
        write(output)
    assert caught.value.hint.startswith("make room")
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
