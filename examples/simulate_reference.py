"""Simulate the N-terminal domain of troponin C in all atoms, as a reference for evaluation.

Amber ff14SB with the GBn2 implicit solvent, from the same native structure as
``simulate_folded.py``.

Needs ``pip install openmm`` and ``pip install --no-deps openmmtools``. Writes
tnc_allatom.pdb, five models of heavy atoms, beside this file.
"""

from __future__ import annotations

import numpy as np
from openmm.app import CutoffNonPeriodic, ForceField, HBonds, Modeller, PDBFile, element
from openmm.unit import nanometer
from recording import FOLDER, start
from simulate_folded import load_native

KELVIN = 300.0
STEP = 0.002  # ps
MODELS, INTERVAL = 5, 250


def heavy_atoms(protein: Modeller) -> tuple[Modeller, np.ndarray]:
    """Remove hydrogens; returns the protein and the indices of its heavy atoms."""
    hydrogens = [atom for atom in protein.topology.atoms() if atom.element is element.hydrogen]
    kept = np.delete(np.arange(protein.topology.getNumAtoms()), [atom.index for atom in hydrogens])
    heavy = Modeller(protein.topology, protein.positions)
    heavy.delete(hydrogens)
    return heavy, kept


def main() -> None:
    """Simulate 2.5 ps in steps of 2 fs; record a model every 0.5 ps."""
    protein = load_native()
    next(protein.topology.chains()).id = "A"
    forcefield = ForceField("amber14/protein.ff14SB.xml", "implicit/gbn2.xml")
    system = forcefield.createSystem(
        protein.topology,
        nonbondedMethod=CutoffNonPeriodic,
        nonbondedCutoff=1.2 * nanometer,
        constraints=HBonds,
    )
    simulation = start(protein.topology, system, protein.positions, KELVIN, friction=1.0, step=STEP)
    heavy, kept = heavy_atoms(protein)
    with (FOLDER / "tnc_allatom.pdb").open("w") as file:
        for model in range(1, MODELS + 1):
            simulation.step(INTERVAL)
            positions = simulation.context.getState(positions=True).getPositions(asNumpy=True)
            PDBFile.writeModel(
                heavy.topology, positions[kept].in_units_of(nanometer), file, model, keepIds=True
            )
        PDBFile.writeFooter(heavy.topology, file)


if __name__ == "__main__":
    main()
