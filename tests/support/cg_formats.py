"""The same beads in every format that latcpb reads, written without latcpb."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cg_files import NAME_OF, write_ca_pdb, write_trajectory

from latcpb_cli.io.source import Source

__all__ = ["BOX", "SEQUENCE", "STRUCTURE_WRITERS", "TOPOLOGY_WRITERS", "TRAJECTORY_WRITERS", "assert_beads"]

SEQUENCE = "MGSWTYPLKHCDE"
BOX = np.array([80.0, 90.0, 100.0])
"""Edges in Å."""

Writer = Callable[[Path, str, np.ndarray, np.ndarray], Path]
"""Takes a folder, a sequence, positions (F, L, 3) in Å and box edges (3,) in Å."""


def assert_beads(source: Source, positions: np.ndarray, times: bool = False) -> None:
    """Check that a source has the beads of `SEQUENCE`, in one chain, in `BOX`, and one frame every 10 ps."""
    assert source.trace.sequence == SEQUENCE
    assert source.trace.chain_index.max() == 0
    chunks = list(source.chunks(3))
    np.testing.assert_allclose(np.concatenate([chunk.positions for chunk in chunks]), positions, atol=0.006)
    boxes = np.concatenate([chunk.boxes for chunk in chunks])
    np.testing.assert_allclose(boxes, np.tile([*BOX, 90, 90, 90], (len(positions), 1)), rtol=1e-5)
    if times:
        clock = np.concatenate([chunk.times for chunk in chunks])
        np.testing.assert_allclose(clock, 10.0 * np.arange(len(positions)), rtol=1e-5)


def _pdb(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    return write_ca_pdb(folder / "cg.pdb", sequence, positions, box=[*box, 90, 90, 90])


def _cif(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    rows = [
        f"ATOM {i + 1} C CA . {NAME_OF[letter]} A {i + 1} {x:.3f} {y:.3f} {z:.3f} {number}"
        for number, frame in enumerate(positions, start=1)
        for i, (letter, (x, y, z)) in enumerate(zip(sequence, frame, strict=True))
    ]
    tags = (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id "
        "Cartn_x Cartn_y Cartn_z pdbx_PDB_model_num"
    )
    edges = [f"_cell.length_{axis} {edge}" for axis, edge in zip("abc", box, strict=True)]
    angles = [f"_cell.angle_{angle} 90" for angle in ("alpha", "beta", "gamma")]
    loop = ["loop_", *[f"_atom_site.{tag}" for tag in tags.split()]]
    return _text(folder / "cg.cif", ["data_x", *edges, *angles, *loop, *rows])


def _gro(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    lines = []
    for number, frame in enumerate(positions / 10):
        lines += [f"beads t= {10.0 * number:.5f} step= {number}", f"{len(sequence):5d}"]
        for i, (letter, (x, y, z)) in enumerate(zip(sequence, frame, strict=True)):
            lines.append(f"{i + 1:5d}{NAME_OF[letter]:<5s}   CA{i + 1:5d}{x:9.4f}{y:9.4f}{z:9.4f}")
        lines.append("".join(f"{edge / 10:10.5f}" for edge in box))
    return _text(folder / "cg.gro", lines)


def _gsd(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    import gsd.hoomd

    with gsd.hoomd.open(str(folder / "cg.gsd"), "w") as out:
        for number, frame in enumerate(positions):
            snap = gsd.hoomd.Frame()
            snap.configuration.step, snap.configuration.box = 10 * number, [*box, 0, 0, 0]
            snap.particles.N, snap.particles.position = len(sequence), frame
            snap.particles.types = sorted(set(sequence))
            snap.particles.typeid = [sorted(set(sequence)).index(letter) for letter in sequence]
            out.append(snap)
    return folder / "cg.gsd"


def _mdtraj_h5(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    import h5py

    residues = [
        {"name": NAME_OF[letter], "resSeq": i + 1, "atoms": [{"name": "CA", "index": i}]}
        for i, letter in enumerate(sequence)
    ]
    with h5py.File(folder / "cg.h5", "w") as out:
        out["coordinates"], out["time"] = positions / 10, 10.0 * np.arange(len(positions))
        out["cell_lengths"] = np.tile(box / 10, (len(positions), 1))
        out["cell_angles"] = np.full((len(positions), 3), 90.0)
        out["topology"] = [json.dumps({"chains": [{"residues": residues}]}).encode()]
    return folder / "cg.h5"


def _h5md(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    import h5py

    with h5py.File(folder / "traj.h5md", "w") as out:
        group = out.create_group("particles/all")
        value = group.create_dataset("position/value", data=positions / 10)
        value.attrs["unit"] = "nm"
        group.create_dataset("position/time", data=10.0 * np.arange(len(positions))).attrs["unit"] = "ps"
        group.create_dataset("box/edges/value", data=np.tile(np.diag(box / 10), (len(positions), 1, 1)))
    return folder / "traj.h5md"


def _data(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    letters = sorted(set(sequence))
    lines = ["beads", "", f"{len(sequence)} atoms", f"{len(letters)} atom types", ""]
    lines += [f"0 {edge} {axis}lo {axis}hi" for axis, edge in zip("xyz", box, strict=True)]
    lines += ["", "Masses", "", *[f"{i + 1} 100.0" for i in range(len(letters))], "", "Atoms # molecular", ""]
    for i, (letter, xyz) in enumerate(zip(sequence, positions[0], strict=True)):
        x, y, z = xyz
        lines.append(f"{i + 1} 1 {letters.index(letter) + 1} {x:.3f} {y:.3f} {z:.3f}")
    return _text(folder / "cg.data", lines)


def _psf(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    rows = [
        f"{i + 1:8d} PROA {i + 1:<4d} {NAME_OF[letter]:<4s} CA   CA     0.000000      100.0000           0"
        for i, letter in enumerate(sequence)
    ]
    head = ["PSF", "", "       1 !NTITLE", " REMARKS beads", "", f"{len(sequence):8d} !NATOM"]
    return _text(folder / "cg.psf", [*head, *rows, "", "       0 !NBOND: bonds", ""])


def _prmtop(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    n = len(sequence)
    pointers = [n, 1, *[0] * 9, n, *[0] * 19]

    def section(name: str, form: str, values: list[str], per_line: int) -> list[str]:
        rows = ["".join(values[at : at + per_line]) for at in range(0, len(values), per_line)]
        return [f"%FLAG {name}", f"%FORMAT({form})", *(rows or [""])]

    lines = ["%VERSION  VERSION_STAMP = V0001.000  DATE = 01/01/20  00:00:00"]
    lines += section("TITLE", "20a4", ["beads"], 20)
    lines += section("POINTERS", "10I8", [f"{value:8d}" for value in pointers], 10)
    lines += section("ATOM_NAME", "20a4", ["CA  "] * n, 20)
    lines += section("CHARGE", "5E16.8", [f"{0.0:16.8E}"] * n, 5)
    lines += section("MASS", "5E16.8", [f"{100.0:16.8E}"] * n, 5)
    lines += section("ATOM_TYPE_INDEX", "10I8", [f"{1:8d}"] * n, 10)
    lines += section("RESIDUE_LABEL", "20a4", [f"{NAME_OF[letter]:<4s}" for letter in sequence], 20)
    lines += section("RESIDUE_POINTER", "10I8", [f"{i + 1:8d}" for i in range(n)], 10)
    lines += section("AMBER_ATOM_TYPE", "20a4", ["CX  "] * n, 20)
    for what in ("BONDS", "ANGLES", "DIHEDRALS"):
        for kind in ("INC", "WITHOUT"):
            lines += section(f"{what}_{kind}_HYDROGEN", "10I8", [], 10)
    return _text(folder / "cg.prmtop", lines)


def _dump(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    lines = []
    for number, frame in enumerate(positions):
        lines += ["ITEM: TIMESTEP", str(10 * number), "ITEM: NUMBER OF ATOMS", str(len(sequence))]
        lines += ["ITEM: BOX BOUNDS pp pp pp", *[f"0 {edge}" for edge in box], "ITEM: ATOMS id type x y z"]
        rows = [f"{i + 1} 1 " + " ".join(f"{value:.3f}" for value in xyz) for i, xyz in enumerate(frame)]
        lines += rows[::-1]
    return _text(folder / "traj.lammpstrj", lines)


def _mdcrd(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    lines = ["beads"]
    for frame in positions:
        values = [f"{value:8.3f}" for value in frame.ravel()]
        lines += ["".join(values[at : at + 10]) for at in range(0, len(values), 10)]
        lines.append("".join(f"{edge:8.3f}" for edge in box))
    return _text(folder / "traj.mdcrd", lines)


def _netcdf(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
    from scipy.io import netcdf_file

    with netcdf_file(str(folder / "traj.nc"), "w", version=2) as out:
        out.Conventions, out.ConventionVersion, out.program, out.programVersion = b"AMBER", b"1.0", b"t", b"1"
        for name, size in (("frame", None), ("atom", len(sequence)), ("spatial", 3), ("cell_spatial", 3)):
            out.createDimension(name, size)
        out.createDimension("cell_angular", 3)
        columns = {
            "time": (10.0 * np.arange(len(positions)), ("frame",), b"picosecond"),
            "coordinates": (positions, ("frame", "atom", "spatial"), b"angstrom"),
            "cell_lengths": (np.tile(box, (len(positions), 1)), ("frame", "cell_spatial"), b"angstrom"),
            "cell_angles": (np.full((len(positions), 3), 90.0), ("frame", "cell_angular"), b"degree"),
        }
        for name, (values, dimensions, unit) in columns.items():
            variable = out.createVariable(name, "f4", dimensions)
            variable.units = unit
            variable[:] = values
        spatial = out.createVariable("spatial", "c", ("spatial",))
        spatial[:] = np.array(list(b"xyz"), dtype="u1").view("S1")
    return folder / "traj.nc"


def _through_mdanalysis(suffix: str) -> Writer:
    def write(folder: Path, sequence: str, positions: np.ndarray, box: np.ndarray) -> Path:
        return write_trajectory(folder / f"traj{suffix}", positions, box=np.array([*box, 90, 90, 90]))

    return write


def _text(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join([*lines, ""]))
    return path


STRUCTURE_WRITERS: dict[str, Writer] = {
    "pdb": _pdb, "cif": _cif, "gro": _gro, "gsd": _gsd, "h5": _mdtraj_h5, "data": _data,
}  # fmt: skip
"""Formats that name their beads and hold their positions; DATA holds one frame and no names."""
TOPOLOGY_WRITERS: dict[str, Writer] = {"psf": _psf, "prmtop": _prmtop}
TRAJECTORY_WRITERS: dict[str, Writer] = {
    **{suffix[1:]: _through_mdanalysis(suffix) for suffix in (".xtc", ".dcd", ".trr")},
    "nc": _netcdf, "h5md": _h5md, "lammpstrj": _dump, "mdcrd": _mdcrd,
}  # fmt: skip
