"""Golden coordinates of the shipped weights, and how far built atoms are from them.

The structures are models of ``examples/tnc_allatom.pdb``, made by molecular dynamics, and peptides of ideal
geometry with the torsions below; none of them is training data. After a change of the weights, or of what is
computed with them, write the coordinates anew; the command prints how far they are from the former ones::

    .venv/bin/python tests/support/golden.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peptides import structure

from latcpb_cli.chem.residues import CA_SLOT, CB_SLOT, GAMMA_SLOT, N_SLOTS, OXT_SLOT
from latcpb_cli.choices import PARTS
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import squared_deviation
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomStructure, AtomTopology, FrameChunk

__all__ = ["GOLDEN_FILE", "OPTIONS", "Deviation", "build_atoms", "deviation", "load_golden", "references"]

ROOT = Path(__file__).parents[2]
GOLDEN_FILE = ROOT / "tests" / "data" / "golden.npz"

OPTIONS = {
    "best": BackmapOptions(),
    "ensemble": BackmapOptions(mode="ensemble", seed=7),
    "paper": BackmapOptions(without=PARTS),
}
"""The runs whose coordinates are kept, by name."""

HELIX = "MAEKLIRWTHQNFDSYVCGAEELVKRLFDWQSMHTIN"
COIL = "GSTPEVNDYKPRLFGHCIWQMAKPTSDGEVYLNR"
ALPHA, BETA, POLYPROLINE, LEFT = (-63.0, -42.0), (-120.0, 130.0), (-70.0, 145.0), (57.0, 45.0)
BASINS = {"a": ALPHA, "b": BETA, "p": POLYPROLINE, "l": LEFT}
COIL_BASINS = "lbbppbaabppbaalbbabbpbaappblbbabba"


def references() -> dict[str, AtomStructure]:
    """Structures by name; their Cα are the input of the runs."""
    tnc = read_all_atom(ROOT / "examples" / "tnc_allatom.pdb")
    phi, psi = np.array([BASINS[letter] for letter in COIL_BASINS]).T
    omega = np.full(len(COIL), 180.0)
    omega[COIL.index("P", 5) - 1] = 0.0
    return {
        "tnc": AtomStructure(tnc.trace, tnc.atoms[::2], tnc.present, {}),
        "helix": structure(HELIX, phi=ALPHA[0], psi=ALPHA[1]),
        "coil": structure(COIL, phi=phi, psi=psi, omega=omega),
    }


def build_atoms(model: LoadedModel, reference: AtomStructure, options: BackmapOptions) -> np.ndarray:
    """Build on the Cα of a structure: float32, (F, L, 15, 3), with zeros where there is no atom."""
    positions = np.ascontiguousarray(reference.atoms[:, :, CA_SLOT])
    n_frames = len(positions)
    boxes, indices = np.zeros((n_frames, 6), dtype=np.float32), np.arange(n_frames)
    atoms = model.sample(reference.trace, FrameChunk(positions, 1.0 * indices, boxes, indices), options)[:, 0]
    return np.where(AtomTopology.heavy_atoms(reference.trace).present[:, :, None], atoms, np.float32(0.0))


@dataclass(frozen=True)
class Deviation:
    """Distances (Å) of atoms from the golden ones.

    Attributes
    ----------
    backbone : float
        The largest of all N, C, O and Cβ.
    moved_side_chains : float
        Percent of the residues with atoms beyond Cβ, of which one is more than 0.1 Å away.
    """

    backbone: float
    moved_side_chains: float


def deviation(reference: AtomStructure, golden: np.ndarray, atoms: np.ndarray) -> Deviation:
    """Compare atoms (F, L, 15, 3) with golden ones; both orientations of symmetric groups are equal."""
    present, slots = AtomTopology.heavy_atoms(reference.trace).present, np.arange(N_SLOTS)
    distance = np.sqrt(squared_deviation(reference.trace.residue_types, golden, atoms, present))
    backbone = distance[:, present & (slots <= CB_SLOT)]
    side_chains = distance[:, present[:, GAMMA_SLOT], GAMMA_SLOT:OXT_SLOT].max(axis=-1)
    return Deviation(float(backbone.max()), 100.0 * float((side_chains > 0.1).mean()))


def load_golden() -> dict[str, np.ndarray]:
    """Golden atoms (F, L, 15, 3) by names of options and structure, such as ``best/tnc``."""
    with np.load(GOLDEN_FILE) as archive:
        return {name: archive[name] for name in archive.files}


def main() -> None:
    """Write the golden coordinates, rounded to 0.001 Å, and print how far they are from the former ones."""
    model = LoadedModel.from_pretrained(device="cpu")
    former = load_golden() if GOLDEN_FILE.exists() else {}
    golden = {}
    for kind, options in OPTIONS.items():
        for name, reference in references().items():
            key = f"{kind}/{name}"
            golden[key] = build_atoms(model, reference, options).round(3)
            if key in former:
                print(key, deviation(reference, former[key], golden[key]))
    GOLDEN_FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(GOLDEN_FILE, **golden)
    print(f"wrote {GOLDEN_FILE} ({GOLDEN_FILE.stat().st_size / 1024:.0f} kB)")


if __name__ == "__main__":
    main()
