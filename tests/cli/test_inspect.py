"""``latcpb inspect`` and ``latcpb doctor`` as a user meets them."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import walk, write_ca_pdb, write_trajectory
from cg_formats import STRUCTURE_WRITERS, TOPOLOGY_WRITERS, TRAJECTORY_WRITERS
from odd_files import atoms, com_beads, pdb

from latcpb_cli import __version__
from latcpb_cli.cli.app import main

SEQUENCE = "MGSWTYPLKHCDE"
BOX = np.array([80.0, 90.0, 100.0])
EXTRAS = {"gsd": "gsd.hoomd", "h5": "h5py", "h5md": "h5py"}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command line in a folder of its own; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(caught.value.code or 0), captured.out, captured.err

    return call


@pytest.mark.parametrize("name", [*STRUCTURE_WRITERS, *TOPOLOGY_WRITERS, *TRAJECTORY_WRITERS])
def test_every_format(tmp_path, run, name):
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name])
    positions = walk(len(SEQUENCE), 4) + np.float32(3.0)
    write = {**STRUCTURE_WRITERS, **TOPOLOGY_WRITERS, **TRAJECTORY_WRITERS}[name]
    files = [write(tmp_path, SEQUENCE, positions, BOX)]
    if name in TOPOLOGY_WRITERS:
        files.append(TRAJECTORY_WRITERS["xtc"](tmp_path, SEQUENCE, positions, BOX))
    if name in TRAJECTORY_WRITERS:
        files.insert(0, write_ca_pdb(tmp_path / "top.pdb", SEQUENCE, positions[:1]))
    code, said, errors = run("inspect", *files, *(["--sequence", SEQUENCE] if name == "data" else []))
    assert (code, errors) == (0, "")
    count = 1 if name == "data" else 4
    assert f"frames     {count} of {count}: 0" in said
    assert "80.00 x 90.00 x 100.00 Å, angles 90.00 90.00 90.00°" in said
    assert "13 named CA, in 1 chain" in said or "13 of any name, in 1 chain" in said
    assert "Cα-Cα      median 3.80 Å, 0 of 12 bonds odd, 0 cis peptides: like Cα" in said
    assert f"           {SEQUENCE}\n" in said


def test_chains_breaks_and_what_is_left_out(tmp_path, run):
    xyz = walk(10, 4)
    xyz[1, 6:] += 3.0
    xyz[:, 9] += 40.0
    chains, names = "A" * 9 + "W", ["ALA"] * 8 + ["HSD", "HOH"]
    write_ca_pdb(tmp_path / "cg.pdb", "A" * 10, xyz[:1], chains=chains, resnames=names)
    write_trajectory(tmp_path / "t.dcd", xyz)
    code, said, _ = run("inspect", "cg.pdb", "t.dcd")
    assert code == 0
    assert "frames     4 of 4: 0 to 30 ps, every 10 ps" in said
    assert "box        none" in said
    assert "chain 1    'A', 9 residues, A:ALA1 to A:HIS9, Cα-Cα 3.80 ± 0.00 Å" in said
    assert "  break    A:ALA6-A:ALA7 in 1 of 4 frames" in said
    assert "left out   HOH (1)" in said
    assert "read as    HSD as HIS (1)" in said


def test_what_backmap_refuses_is_told(tmp_path, run):
    (tmp_path / "com.pdb").write_text(pdb(atoms("A" * 30, com_beads(30))))
    code, said, _ = run("inspect", "com.pdb")
    assert code == 0
    assert "bonds odd, 0 cis peptides: not like Cα" in said
    assert "warning    beads do not have the spacing of Cα in A:ALA1 to A:ALA30" in said
    assert "refused    latcpb backmap takes these beads with --force only" in said
    write_ca_pdb(tmp_path / "nm.pdb", SEQUENCE, walk(13) / 10)
    assert "nm coordinates in a format of Å (add --scale 10" in run("inspect", "nm.pdb")[1]
    assert "like Cα" in run("inspect", "nm.pdb", "--scale", 10)[1]


def test_bad_frames_are_counted(tmp_path, run, ca_pdb):
    positions = walk(13, 30)
    positions[4:24, 2] = np.nan
    write_trajectory(tmp_path / "t.dcd", positions)
    code, said, _ = run("inspect", "cg.pdb", "t.dcd")
    assert code == 0
    assert "warning    frame 4, residue A:SER3: position is not a number" in said
    assert said.count("position is not a number") == 10
    assert "and 10 more frames (-v shows all)" in said
    assert run("inspect", "cg.pdb", "t.dcd", "-v")[1].count("position is not a number") == 20


def test_unreadable(run):
    code, _, said = run("inspect", "nothing.pdb")
    assert code == 3
    assert said.startswith("error: nothing.pdb: no such file\nhint: ")


def test_doctor(run):
    code, said, errors = run("doctor")
    assert (code, errors) == (0, "")
    assert said.startswith(f"latcpb     {__version__}, Python 3.")
    for what in ("libraries  torch ", "threads    ", "devices    cpu", "optional   h5py (.h5 .h5md): "):
        assert what in said
    assert "weights    latcpb-base, bundled: ok, sha256 " in said


def test_doctor_without_weights(tmp_path, run, monkeypatch):
    monkeypatch.setattr("latcpb_cli.hub.bundled_directory", lambda name: None)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr("latcpb_cli.hub._cached", lambda *_: None)
    code, _, said = run("doctor")
    assert code == 5
    assert "error: there are no intact weights on this machine" in said


def test_doctor_names_what_is_missing(run, monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def version(package: str) -> str:
        if package in ("gsd", "e3nn"):
            raise PackageNotFoundError
        return "1"

    monkeypatch.setattr("latcpb_cli.cli.doctor.version", version)
    said = run("doctor")[1]
    assert "optional   gsd (.gsd): not installed: pip install 'latcpb-cli[formats]'" in said
    assert "MISSING    e3nn: install latcpb again" in said
