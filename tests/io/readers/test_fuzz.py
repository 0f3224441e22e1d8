"""Damaged files end in one line or in a whole result: no traceback, no hang, no partial output."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest
from cg_files import FakeModel, pdb_line, walk, write_ca_pdb
from cg_formats import BOX, SEQUENCE, STRUCTURE_WRITERS, TOPOLOGY_WRITERS, TRAJECTORY_WRITERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latcpb_cli.cli.app import main
from latcpb_cli.errors import InputError, LatcpbError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.readers.fasta import read_sequences
from latcpb_cli.read_options import FrameWindow, ReadOptions

WRITERS = {**STRUCTURE_WRITERS, **TOPOLOGY_WRITERS, **TRAJECTORY_WRITERS}
LONGEST = 100.0
"""Seconds that no damaged file may take."""
EXTRAS = {"gsd": "gsd.hoomd", "h5": "h5py", "h5md": "h5py"}

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def damage(data: bytes, seed: int) -> bytes:
    """Cut, change or insert bytes."""
    rng = random.Random(seed)
    action, changed = rng.random(), bytearray(data)
    if action < 0.3:
        return bytes(changed[: rng.randrange(len(changed))])
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    if action > 0.9:
        at = rng.randrange(len(changed))
        changed[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 40)))
    return bytes(changed)


def arguments(name: str, file: str) -> list[str]:
    if name in TOPOLOGY_WRITERS:
        return ["good.xtc", "--top", file]
    if name in STRUCTURE_WRITERS:
        return [file, *(["--sequence", SEQUENCE] if name == "data" else [])]
    return [file, "--top", "good.pdb"]


def damaged_files(tmp_path: Path, monkeypatch, capsys, name: str, count: int) -> None:
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", FakeModel)
    positions = walk(len(SEQUENCE), 4) + np.float32(3.0)
    whole = WRITERS[name](tmp_path, SEQUENCE, positions, BOX)
    data = whole.read_bytes()
    whole.unlink()
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write_ca_pdb(folder / "good.pdb", SEQUENCE, positions[:1])
    TRAJECTORY_WRITERS["xtc"](folder, SEQUENCE, positions, BOX).rename(folder / "good.xtc")
    results = {"out.xtc", "out.top.pdb"}
    outcomes = set()
    for seed in range(count):
        # A name of its own for each: HDF5 shares what it knows of a file that is still open.
        file = folder / f"bad{seed}{whole.suffix}"
        file.write_bytes(damage(data, seed))
        before = {entry.name for entry in folder.iterdir()}
        started = time.monotonic()
        with pytest.raises(SystemExit) as caught:
            main(["backmap", *arguments(name, file.name), "-o", "out.xtc", "--no-report", "-q"])
        assert time.monotonic() - started < LONGEST, seed
        code, message = int(caught.value.code or 0), capsys.readouterr().err
        made = {entry.name for entry in folder.iterdir()} - before
        assert code in (0, 3), (seed, message)
        assert made == (results if code == 0 else set()), (seed, message)
        if code:
            assert [line.split(":")[0] for line in message.splitlines()] == ["error", "hint"], (seed, message)
        for left in (*made, file.name):
            (folder / left).unlink()
        outcomes.add(code)
    assert 3 in outcomes


@pytest.mark.parametrize("name", WRITERS)
def test_damaged_files(tmp_path, monkeypatch, capsys, name):
    damaged_files(tmp_path, monkeypatch, capsys, name, 12)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", WRITERS)
def test_many_damaged_files(tmp_path, monkeypatch, capsys, name):
    damaged_files(tmp_path, monkeypatch, capsys, name, 340)


words = st.text(max_size=6)
odd_numbers = st.one_of(
    st.floats(width=32).map(str),
    st.integers().map(str),
    st.sampled_from(["********", "", "nan", "inf", "1e9", "-"]),
)


def read_or_refuse(path: Path, **options) -> None:
    """Either there are finite positions, or there is one line with a hint."""
    try:
        for chunk in open_source([path], options=ReadOptions(**options)).chunks(2):
            assert np.isfinite(chunk.positions).all()
    except LatcpbError as error:
        assert error.message
        assert error.hint
        assert "\n" not in error.hint


@relaxed
@given(
    fields=st.lists(st.tuples(words, words, words, odd_numbers, odd_numbers), min_size=1, max_size=8),
    head=words,
)
def test_fields_of_pdb_files(tmp_path, fields, head):
    lines = [f"CRYST1{head}"]
    for i, (name, resname, resid, x, y) in enumerate(fields):
        line = pdb_line(i + 1, "ALA", i + 1, (3.8 * i, 1.0, 1.0))
        line = (
            f"{line[:12]}{name[:4]:4s}{resname[:5]:5s}A{resid[:4]:>4s}    {x[:8]:>8s}{y[:8]:>8s}{line[46:]}"
        )
        lines.append(line)
    path = tmp_path / "odd.pdb"
    path.write_text("\n".join(lines), "utf-8", errors="replace")
    read_or_refuse(path)
    read_or_refuse(path, sequence="A" * len(fields), force=True)


@relaxed
@given(rows=st.lists(st.tuples(words, odd_numbers), max_size=5), count=odd_numbers, box=words, title=words)
def test_fields_of_gro_files(tmp_path, rows, count, box, title):
    lines = [title, count if count else str(len(rows))]
    lines += [
        f"{i:5d}{name[:5]:5s}   CA{i:5d}{x[:8]:>8s}{0.1:8.3f}{0.1:8.3f}" for i, (name, x) in enumerate(rows)
    ]
    path = tmp_path / "odd.gro"
    path.write_text("\n".join([*lines, box, ""]), "utf-8", errors="replace")
    read_or_refuse(path)


DUMP_LINES = (
    "ITEM: TIMESTEP", "ITEM: NUMBER OF ATOMS", "1", "ITEM: BOX BOUNDS", "0 9", "ITEM: ATOMS id x y z",
    "1 0 0 0", "-3", "", "x",
)  # fmt: skip


@relaxed
@given(lines=st.lists(st.sampled_from(DUMP_LINES), max_size=14))
def test_lines_of_dumps(tmp_path, lines):
    top = tmp_path / "top.pdb"
    top.write_text(pdb_line(1, "ALA", 1, (0, 0, 0)) + "\n")
    path = tmp_path / "odd.dump"
    path.write_text("\n".join([*lines, ""]))
    try:
        list(open_source([path], top).chunks(1))
    except InputError as error:
        assert error.hint


@relaxed
@given(text=st.text(max_size=12))
def test_frames_as_given_by_users(text):
    try:
        FrameWindow(frames=text)
    except LatcpbError as error:
        assert error.hint


@relaxed
@given(text=st.text(max_size=40))
def test_sequences_as_given_by_users(tmp_path, text):
    (tmp_path / "s.fa").write_text(text, "utf-8", errors="replace")
    for given_as in (text, str(tmp_path / "s.fa")):
        try:
            assert set("".join(read_sequences(given_as))) <= set("ARNDCQEGHILKMFPSTWYV")
        except LatcpbError as error:
            assert error.hint
