"""Measure reference bond lengths and angles in crystal structures of the training split.

    python benchmarks/measure_reference.py DATA/chains > latcpb_cli/chem/reference.json

Trimmed means (the middle 90 %) over training chains at 1.8 Å or better;
residues that stand for a modified parent and those of wrong chirality are left
out. C-OXT is not in the data and takes the carboxylate values of Engh and
Huber (International Tables F, 2001).
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np

from latcpb_cli.chem.bonds import intra_angles, intra_bonds
from latcpb_cli.chem.residues import ATOM_SLOTS, NAMES, OXT_SLOT
from latcpb_cli.geometry.angles import angle, distance

SKIPPED_FLAGS = 4 | 64
BREAK_FLAG = 2
CARBOXYLATE = {"bonds": {"C-OXT": 1.250}, "angles": {"CA-C-OXT": 117.0, "O-C-OXT": 125.0}}


def load(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read training chains: xyz (N, 14, 3) in Å with NaN for missing, types (N,), linked (N,)."""
    rows = list(csv.DictReader((folder / "chains.tsv").open(), delimiter="\t"))
    xyz, types, linked = [], [], []
    for shard in sorted({row["shard"] for row in rows}):
        with np.load(folder / f"chains_{int(shard):02d}.npz") as data:
            arrays = {key: data[key] for key in ("offsets", "coords", "atom_mask", "seq", "flags")}
        for row in rows:
            fine = row["split"] == "train" and row["resolution"] and float(row["resolution"]) <= 1.8
            if row["shard"] != shard or not fine:
                continue
            start, stop = arrays["offsets"][int(row["index"]) : int(row["index"]) + 2]
            flags = arrays["flags"][start:stop]
            there = (arrays["atom_mask"][start:stop, None] >> np.arange(14, dtype=np.uint16)) & 1
            there[(flags & SKIPPED_FLAGS) > 0] = 0
            xyz.append(np.where(there[:, :, None], arrays["coords"][start:stop] / 100.0, np.nan))
            types.append(arrays["seq"][start:stop])
            joined = (flags & BREAK_FLAG) == 0
            joined[-1] = False
            linked.append(joined)
    return np.concatenate(xyz), np.concatenate(types), np.concatenate(linked)


def middle_mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, [0.05, 0.95])
    return float(values[(values >= low) & (values <= high)].mean())


def degrees(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    return round(float(np.degrees(middle_mean(angle(a, b, c)))), 1)


def length(a: np.ndarray, b: np.ndarray) -> float:
    return round(middle_mean(distance(a, b)), 3)


def residue_table(residue: int, xyz: np.ndarray) -> dict[str, dict[str, float]]:
    """Bonds and angles of one residue type; xyz (N, 14, 3) of its residues."""
    names = ATOM_SLOTS[residue]
    table: dict[str, dict[str, float]] = {"bonds": {}, "angles": {}}
    for a, b in intra_bonds()[residue]:
        if OXT_SLOT not in (a, b):
            table["bonds"][f"{names[a]}-{names[b]}"] = length(xyz[:, a], xyz[:, b])
    for a, b, c in intra_angles()[residue]:
        if OXT_SLOT not in (a, b, c):
            table["angles"][f"{names[a]}-{names[b]}-{names[c]}"] = degrees(xyz[:, a], xyz[:, b], xyz[:, c])
    return {kind: {**table[kind], **CARBOXYLATE[kind]} for kind in table}


def peptide_table(xyz: np.ndarray, types: np.ndarray, linked: np.ndarray) -> dict[str, dict[str, float]]:
    """Bonds and angles across the peptide, the ones at the nitrogen of proline apart."""
    first = np.flatnonzero(linked)
    proline = types[first + 1] == NAMES.index("PRO")
    table: dict[str, dict[str, float]] = {"bonds": {}, "angles": {}}
    for prefix, chosen in (("", first[~proline]), ("PRO ", first[proline])):
        _, ca, c, o = xyz[chosen, :4].swapaxes(0, 1)
        n, next_ca = xyz[chosen + 1, :2].swapaxes(0, 1)
        table["bonds"][f"{prefix}C-N"] = length(c, n)
        table["angles"][f"{prefix}CA-C-N"] = degrees(ca, c, n)
        table["angles"][f"{prefix}O-C-N"] = degrees(o, c, n)
        table["angles"][f"{prefix}C-N-CA"] = degrees(c, n, next_ca)
    table["angles"]["PRO C-N-CD"] = degrees(c, n, xyz[chosen + 1, 6])
    return table


def main() -> None:
    xyz, types, linked = load(Path(sys.argv[1]))
    tables = {name: residue_table(residue, xyz[types == residue]) for residue, name in enumerate(NAMES)}
    tables["peptide"] = peptide_table(xyz, types, linked)
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in tables.items()]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
