"""Text with invisible bytes: every encoding and line end is read right, null bytes are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cg_files import walk, write_ca_pdb
from cg_formats import BOX, SEQUENCE, STRUCTURE_WRITERS, TRAJECTORY_WRITERS, assert_beads
from reading import refuse

from latcpb_cli.errors import InputError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.readers.fasta import read_sequences
from latcpb_cli.io.readers.plain_text import decode_text, is_plain_text, write_plain_text
from latcpb_cli.read_options import ReadOptions

FORMATS = ("pdb", "cif", "gro", "data", "lammpstrj", "mdcrd")


def half_with_cr(data: bytes) -> bytes:
    middle = data.index(b"\n", len(data) // 2)
    return data[:middle].replace(b"\n", b"\r") + data[middle:]


HIDDEN: dict[str, Callable[[bytes], bytes]] = {
    "UTF-8 mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16 with mark": lambda data: data.decode().encode("utf-16"),
    "UTF-16, big end first": lambda data: b"\xfe\xff" + data.decode().encode("utf-16-be"),
    "UTF-16 without mark": lambda data: data.decode().encode("utf-16-le"),
    "UTF-32": lambda data: data.decode().encode("utf-32"),
    "lines that end in CR": lambda data: data.replace(b"\n", b"\r"),
    "lines that end in CR CR LF": lambda data: data.replace(b"\n", b"\r\r\n"),
    "CR in the first half": half_with_cr,
    "mark and CR LF": lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"),
}


def read(folder: Path, name: str, change: Callable[[bytes], bytes], positions: np.ndarray):
    top = write_ca_pdb(folder / "top.pdb", SEQUENCE, positions[:1])
    path = {**STRUCTURE_WRITERS, **TRAJECTORY_WRITERS}[name](folder, SEQUENCE, positions, BOX)
    path.write_bytes(change(path.read_bytes()))
    if name in TRAJECTORY_WRITERS:
        return open_source([path], top)
    return open_source([path], options=ReadOptions(sequence=SEQUENCE if name == "data" else None))


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("name", FORMATS)
def test_hidden_bytes_change_nothing(tmp_path, name, hidden):
    positions = walk(len(SEQUENCE), 3) + np.float32(3.0)
    source = read(tmp_path, name, HIDDEN[hidden], positions)
    assert_beads(source, positions[:1] if name == "data" else positions)


@pytest.mark.parametrize("name", FORMATS)
def test_null_bytes_are_refused(tmp_path, name):
    positions = walk(len(SEQUENCE), 3) + np.float32(3.0)
    with pytest.raises(InputError, match="null bytes in a text file"):
        read(tmp_path, name, lambda data: data[:150] + b"\0" * 8 + data[158:], positions)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_sequences(tmp_path, hidden):
    path = tmp_path / "a.fasta"
    path.write_bytes(HIDDEN[hidden](b">one\nACDE\nFGH\n>two\nKLM\n"))
    assert read_sequences(str(path)) == ["ACDEFGH", "KLM"]


def test_broken_encoding_is_refused(tmp_path):
    path = tmp_path / "a.pdb"
    path.write_bytes(b"\xff\xfe" + "ATOM".encode("utf-16-le") + b"\x00\xd8A\x00")
    refuse("damaged, or in an unknown encoding", [path])


def test_plain_text_is_not_copied(tmp_path, ca_pdb):
    assert is_plain_text(ca_pdb, ca_pdb)
    windows = tmp_path / "w.pdb"
    windows.write_bytes(ca_pdb.read_bytes().replace(b"\n", b"\r\n"))
    assert is_plain_text(windows, windows)


def test_line_ends_at_the_border_of_two_blocks(tmp_path):
    for shift in (-2, -1, 0, 1):
        path, target = tmp_path / "a.pdb", tmp_path / "b.pdb"
        path.write_bytes(b"x" * ((1 << 20) + shift) + b"\r\r\nab\rc")
        assert not is_plain_text(path, path)
        write_plain_text(path, path, target)
        assert target.read_bytes() == b"x" * ((1 << 20) + shift) + b"\nab\nc"


def test_letters_beyond_ascii_survive(tmp_path):
    assert decode_text(tmp_path, "α-Synuklein\r".encode("utf-16")) == "α-Synuklein\n"
