"""Measure reference bond lengths and angles in crystal structures of the training split.

    python benchmarks/measure_reference.py DATA/chains > latcpb_cli/chem/reference.json

Trimmed means (the middle 90 %) over training chains at 1.8 Å or better; residues that are stored as the
parent of a modified one, and those of wrong chirality, are left out. C-OXT is not in the data and takes the
carboxylate values of Engh and Huber (International Tables F, 2001).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from training_chains import training_chains

from latcpb_cli.chem.bonds import intra_angles, intra_bonds
from latcpb_cli.chem.residues import ATOM_SLOTS, CA_SLOT, N_SLOT, NAMES, OXT_SLOT, PRO, slot_of
from latcpb_cli.geometry.angles import angle, distance
from latcpb_cli.train.packed_format import MODIFIED, WRONG_CHIRALITY

MAX_RESOLUTION = 1.8  # Å
CARBOXYLATE = {"bonds": {"C-OXT": 1.250}, "angles": {"CA-C-OXT": 117.0, "O-C-OXT": 125.0}}

Table = dict[str, dict[str, float]]


def load(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read atoms (N, 14, 3) in Å with NaN for missing ones, residue types (N,) and links (N,)."""
    atoms, types, linked = [], [], []
    for chain in training_chains(folder, MAX_RESOLUTION):
        regular = (chain.flags & (MODIFIED | WRONG_CHIRALITY)) == 0
        present = chain.present & regular[:, None]
        atoms.append(np.where(present[:, :, None], chain.atoms, np.nan))
        types.append(chain.types)
        linked.append(chain.linked)
    return np.concatenate(atoms), np.concatenate(types), np.concatenate(linked)


def trimmed_mean(values: np.ndarray) -> float:
    """Mean of the middle 90 % of the finite values."""
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, [0.05, 0.95])
    return float(values[(values >= low) & (values <= high)].mean())


def mean_angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Trimmed mean of the angle at b, degrees."""
    return round(float(np.degrees(trimmed_mean(angle(a, b, c)))), 1)


def mean_length(a: np.ndarray, b: np.ndarray) -> float:
    """Trimmed mean of the distance, Å."""
    return round(trimmed_mean(distance(a, b)), 3)


def residue_table(residue: int, atoms: np.ndarray) -> Table:
    """Bonds and angles of one residue type, from atoms (N, 14, 3) of its residues."""
    names = ATOM_SLOTS[residue]
    table: Table = {"bonds": {}, "angles": {}}
    for a, b in intra_bonds()[residue]:
        if OXT_SLOT not in (a, b):
            table["bonds"][f"{names[a]}-{names[b]}"] = mean_length(atoms[:, a], atoms[:, b])
    for a, b, c in intra_angles()[residue]:
        if OXT_SLOT not in (a, b, c):
            name = f"{names[a]}-{names[b]}-{names[c]}"
            table["angles"][name] = mean_angle(atoms[:, a], atoms[:, b], atoms[:, c])
    return {kind: {**table[kind], **CARBOXYLATE[kind]} for kind in table}


def peptide_table(atoms: np.ndarray, types: np.ndarray, linked: np.ndarray) -> Table:
    """Bonds and angles across the peptide; those at the nitrogen of proline have names of their own."""
    first = np.flatnonzero(linked)
    before_proline = types[first + 1] == PRO
    table: Table = {"bonds": {}, "angles": {}}
    for prefix, chosen in (("", first[~before_proline]), ("PRO ", first[before_proline])):
        _, ca, c, o = atoms[chosen, :4].swapaxes(0, 1)
        n, next_ca = (atoms[chosen + 1, slot] for slot in (N_SLOT, CA_SLOT))
        table["bonds"][f"{prefix}C-N"] = mean_length(c, n)
        table["angles"][f"{prefix}CA-C-N"] = mean_angle(ca, c, n)
        table["angles"][f"{prefix}O-C-N"] = mean_angle(o, c, n)
        table["angles"][f"{prefix}C-N-CA"] = mean_angle(c, n, next_ca)
    table["angles"]["PRO C-N-CD"] = mean_angle(c, n, atoms[chosen + 1, slot_of("PRO", "CD")])
    return table


def main() -> None:
    atoms, types, linked = load(Path(sys.argv[1]))
    tables = {name: residue_table(residue, atoms[types == residue]) for residue, name in enumerate(NAMES)}
    tables["peptide"] = peptide_table(atoms, types, linked)
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in tables.items()]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
