"""Measure what the codec needs beside the reference lengths and angles, in training structures.

    python benchmarks/measure_ideal.py DATA/chains > latcpb_cli/chem/ideal.json

Medians over complete residues of training chains at 1.8 Å or better; lengths in
Å, angles in degrees.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np

from latcpb_cli.chem.residues import ATOM_SLOTS, CHI_ATOMS, NAMES
from latcpb_cli.chem.zmatrix import placements


def load(folder: Path) -> dict[str, np.ndarray]:
    """Concatenate good training chains: xyz (N, 14, 3), seq, complete, linked to the next residue."""
    rows = list(csv.DictReader((folder / "chains.tsv").open(), delimiter="\t"))
    parts: dict[str, list[np.ndarray]] = {"xyz": [], "seq": [], "complete": [], "linked": [], "modified": []}
    for shard in sorted({row["shard"] for row in rows}):
        data = np.load(folder / f"chains_{int(shard):02d}.npz")
        for row in rows:
            fine = row["split"] == "train" and row["resolution"] and float(row["resolution"]) <= 1.8
            if row["shard"] != shard or not fine:
                continue
            start, stop = data["offsets"][int(row["index"]) : int(row["index"]) + 2]
            flags = data["flags"][start:stop]
            parts["xyz"].append(data["coords"][start:stop] / 100.0)
            parts["seq"].append(data["seq"][start:stop])
            parts["complete"].append((flags & (1 | 64)) == 1)
            linked = (flags & 2) == 0
            linked[-1] = False
            parts["linked"].append(linked)
            parts["modified"].append((flags & 4) > 0)
    return {key: np.concatenate(value) for key, value in parts.items()}


def angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    u, v = a - b, c - b
    cos = (u * v).sum(-1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
    return np.degrees(np.arccos(np.clip(cos, -1, 1)))


def torsion(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    b1, b2, b3 = b - a, c - b, d - c
    n1, n2 = np.cross(b1, b2), np.cross(b2, b3)
    y = (np.cross(n1, n2) * b2).sum(-1) / np.linalg.norm(b2, axis=-1)
    return np.degrees(np.arctan2(y, (n1 * n2).sum(-1)))


def circular_mean(degrees: np.ndarray) -> float:
    radians = np.radians(degrees)
    return float(np.degrees(np.arctan2(np.median(np.sin(radians)), np.median(np.cos(radians)))))


def offsets(data: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Torsion of each branch atom less that of its chi (or from zero), where it is not its chi's own."""
    table: dict[str, dict[str, float]] = {}
    for residue, name in enumerate(NAMES):
        slots = residue_atoms(data, residue)
        for atom, parents, chi in placements(residue):
            tau = torsion(*(slots[p] for p in parents), slots[atom])
            if chi >= 0:
                tau = tau - torsion(*(slots[p] for p in CHI_ATOMS[residue][chi]))
            value = round(circular_mean(tau), 3)
            if value != 0.0:
                table.setdefault(name, {})[atom] = value
    return table


def cb_elevation(data: dict[str, np.ndarray]) -> dict[str, float]:
    """Angle between CB and the direction opposite to the bisector of N-CA-C."""
    table = {}
    for residue, name in enumerate(NAMES):
        if name == "GLY":
            continue
        slots = residue_atoms(data, residue)
        n, c, cb = (slots[x] - slots["CA"] for x in ("N", "C", "CB"))
        unit = [v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (n, c)]
        table[name] = round(float(np.median(180 - angle(unit[0] + unit[1], np.zeros_like(cb), cb))), 3)
    return table


def residue_atoms(data: dict[str, np.ndarray], residue: int) -> dict[str, np.ndarray]:
    """Positions by atom name of all sound residues of a type."""
    keep = (data["seq"] == residue) & data["complete"] & ~data["modified"]
    return {atom: data["xyz"][keep][:, s] for s, atom in enumerate(ATOM_SLOTS[residue])}


def peptides(data: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Shape of trans and cis peptides: bond lengths and angles."""
    first = np.flatnonzero(data["linked"][:-1] & data["complete"][:-1] & data["complete"][1:])
    one, two = data["xyz"][first], data["xyz"][first + 1]
    omega = torsion(one[:, 1], one[:, 2], two[:, 0], two[:, 1])
    shape = {}
    for kind, keep in (("trans", np.abs(omega) > 150), ("cis", np.abs(omega) < 30)):
        ca, c, o, n, ca2 = one[keep, 1], one[keep, 2], one[keep, 3], two[keep, 0], two[keep, 1]
        values = {
            "CA-C": np.linalg.norm(c - ca, axis=-1),
            "C-N": np.linalg.norm(n - c, axis=-1),
            "N-CA": np.linalg.norm(ca2 - n, axis=-1),
            "C-O": np.linalg.norm(o - c, axis=-1),
            "CA-C-N": angle(ca, c, n),
            "CA-C-O": angle(ca, c, o),
            "C-N-CA": angle(c, n, ca2),
            "CA-CA": np.linalg.norm(ca2 - ca, axis=-1),
        }
        shape[kind] = {key: round(float(np.median(value)), 3) for key, value in values.items()}
    return shape


def main() -> None:
    data = load(Path(sys.argv[1]))
    measured = {"offsets": offsets(data), "cb_elevation": cb_elevation(data), "peptide": peptides(data)}
    json.dump(measured, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
