"""Files that cannot be read at all, and compressed ones."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest
from cg_files import write_ca_pdb
from cg_formats import BOX, SEQUENCE, STRUCTURE_WRITERS, TRAJECTORY_WRITERS, assert_beads
from reading import refuse

from latcpb_cli.io.open_source import open_source

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


def test_missing_file(tmp_path):
    error = refuse("no such file", [tmp_path / "a.pdb"])
    assert "a.pdb" in error.message


@pytest.mark.parametrize("name", ["a.pdb", "a.gro", "a.cif", "a.xtc", "a.dcd", "a.trr"])
def test_empty_file(tmp_path, ca_pdb, name):
    (tmp_path / name).touch()
    refuse(f"{name}: the file is empty", [tmp_path / name], ca_pdb)
    refuse(f"{name}: the file is empty", [tmp_path / name])


def test_folder(tmp_path):
    (tmp_path / "a.pdb").mkdir()
    refuse("not a file", [tmp_path / "a.pdb"])


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
@pytest.mark.parametrize("name", ["pdb", "gro", "cif", "xtc"])
def test_compressed(tmp_path, positions, name, suffix):
    pack = {".gz": gzip, ".bz2": bz2, ".xz": lzma}[suffix].compress
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    plain = {**STRUCTURE_WRITERS, **TRAJECTORY_WRITERS}[name](tmp_path, SEQUENCE, positions, BOX)
    packed = plain.with_name(plain.name + suffix)
    packed.write_bytes(pack(plain.read_bytes()))
    plain.unlink()
    before = sorted(entry.name for entry in tmp_path.iterdir())
    source = open_source([packed], top)
    assert source.paths == (top, packed)
    assert_beads(source, positions)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


@pytest.mark.parametrize("form", ["pdb", "gro", "cif", "xtc", "lammpstrj"])
@pytest.mark.parametrize("path", ["/proc/self/status", "/proc/self/mem", "/proc", "/dev/null"])
def test_files_of_the_system(ca_pdb, path, form):
    refuse(path, [Path(path)], ca_pdb, format=form)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 300 + ".pdb", "cannot be opened"),
        ("a\0b.pdb", "no file can have this name"),
        ("cg.pdb/a.pdb", "cg.pdb/a.pdb"),
    ],
    ids=["too long", "a null byte", "a file for a folder"],
)
def test_names_that_no_file_can_have(tmp_path, ca_pdb, name, message):
    refuse(message, [tmp_path / name])
    refuse(message, [ca_pdb], tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "\n\n\n",
        "title\n0\n0 0 0\n",
        "title\n    0\n   0.0   0.0   0.0\n",
        "\n0\n\n",
        "a\nb\nc\n",
        "a\n1\n0 0 0\n",
    ],
)
def test_gro_without_atoms(tmp_path, text):
    path = tmp_path / "a.gro"
    path.write_text(text)
    assert refuse("a.gro", [path]).message.startswith(str(path))


@pytest.mark.parametrize("name", ["pdb", "gro", "cif", "gsd", "h5", "xtc", "trr", "dcd", "nc", "lammpstrj"])
def test_file_names_that_are_not_utf8(tmp_path, positions, name):
    top = write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1])
    plain = {**STRUCTURE_WRITERS, **TRAJECTORY_WRITERS}[name](tmp_path, SEQUENCE, positions, BOX)
    path = plain.rename(
        Path(os.fsdecode(os.fsencode(plain.parent / "\xe9-") + b"\xff" + plain.suffix.encode()))
    )
    assert open_source([path], top).n_frames == 6
