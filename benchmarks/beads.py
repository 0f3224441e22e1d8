"""Accuracy of structures rebuilt from beads that are centres of atoms (`--beads`), against the natives.

    python benchmarks/beads.py DATA                     validation chains, all beads centres of mass
    python benchmarks/beads.py DATA --kinds mixed       stretches of them between Cα, as CALVADOS 3 has
    python benchmarks/beads.py DATA --kinds ca+sc       Cα, and centres of mass of side chains
    python benchmarks/beads.py DATA --kinds ca          Cα beads, to compare with
    python benchmarks/beads.py DATA --noise 0.2         with noise on the centres, Å
    python benchmarks/beads.py DATA --thermal           with the motion of an elastic network (CALVADOS 3)
    python benchmarks/beads.py DATA --set heldout --chains 30

The bead of a residue that lacks atoms in the native is its Cα alone. Residues at chain ends and breaks count
in the distance of beads only. `backbone_superposed` and `beads_superposed` are mean RMSDs (Å) from the native
after superposition of whole chains: of the built N, CA, C, O, and of the beads that were given.
`cis_proline_kept_percent` is of peptides before proline that are cis in the native, and
`cis_proline_false_percent` of those that are trans there and cis in the output. The figures are printed as
JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from arguments import measurement_parser
from chains import generated_structure, reference_chains
from MDAnalysis.analysis.rms import rmsd
from tables import Row

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, N_SLOT, O_SLOT, PRO, slot_mask
from latcpb_cli.com_beads.definition import bead_positions, bead_weights
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.stereo import is_cis
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.place_centers import place_centers
from latcpb_cli.structure import AtomStructure, FrameChunk
from latcpb_cli.train.bead_noise import thermal_motion

OMEGA = TORSION_NAMES.index("omega")
BACKBONE = [N_SLOT, CA_SLOT, C_SLOT, O_SLOT]
SUPERPOSED = ("backbone_superposed", "beads_superposed")
STRETCH = 30
"""Residues of one kind of beads in a row, in mixed chains."""
FIGURES = (
    "all_heavy", "backbone", "side_chain", "chi1", "chi1_chi2", "overlap04_per_1000", "peptide_bonds",
    "d_residues", "cis_non_proline", "cis_kept_percent", "pierced_rings", "angles_percent", "n_ca_c_percent",
    "ramachandran_favoured", "rotamer_outliers",
)  # fmt: skip


def main() -> None:
    options = parse_options()
    model = LoadedModel.from_pretrained(options.weights, device="cpu")
    settings = BackmapOptions(samples=options.samples)
    row, beads_off, ca_off, whole, prolines = Row(), [], [], [], []
    for native, chunk in inputs(options):
        trace = native.trace
        placed = place_centers(model, trace, chunk)
        if trace.com_beads is not None:
            ca_off.append((placed.positions - native.atoms[:, :, CA_SLOT])[:, trace.com_beads])
        samples = model.sample(trace, placed, settings)[0]
        for atoms in samples:
            structure = generated_structure(native, atoms[None])
            row.add(native, structure)
            whole.append(superposed(native, structure, chunk))
            prolines.append(cis_prolines(native, structure))
            if placed.beads is not None:
                steps = beads(structure) - placed.beads
                known = has_all_atoms(native) & bead_weights(trace).any(axis=1)
                beads_off.append(steps[:, known])
    figures = row.figures()
    result = {"ca_rms": rms(ca_off), "bead_rms": rms(beads_off)} | {name: figures[name] for name in FIGURES}
    result |= isomers(np.concatenate(prolines, axis=1))
    result |= dict(zip(SUPERPOSED, np.mean(whole, axis=0).tolist(), strict=True))
    print(json.dumps({name: value and round(value, 4) for name, value in result.items()}, indent=1))


def parse_options() -> argparse.Namespace:
    parser = measurement_parser(__doc__)
    parser.add_argument("--kinds", choices=("com", "mixed", "ca+sc", "ca"), default="com")
    parser.add_argument("--noise", type=float, default=0.0, metavar="Å", help="on centres")
    parser.add_argument("--thermal", action="store_true", help="motion of an elastic network at 300 K")
    parser.add_argument("--chains", type=int, metavar="N", help="the N shortest chains only")
    parser.add_argument("--samples", type=int, default=1, help="more than one: mode ensemble")
    return parser.parse_args()


def inputs(options: argparse.Namespace) -> Iterator[tuple[AtomStructure, FrameChunk]]:
    """Yield natives, whose traces have the kinds of beads, and chunks of these beads."""
    rng = np.random.default_rng(0)
    chains = sorted(reference_chains(options.data, options.set), key=lambda chain: len(chain[0]))
    for _, native, chunk in chains[: options.chains]:
        is_center = has_all_atoms(native)
        if options.kinds == "mixed":
            is_center &= (np.arange(len(is_center)) // STRETCH + rng.integers(2)) % 2 == 0
        if options.kinds == "ca" or not is_center.any():
            yield native, chunk
            continue
        kind = {"side_chain_center": "mass"} if options.kinds == "ca+sc" else {"com_beads": is_center}
        native = replace(native, trace=replace(native.trace, **kind))
        centers = beads(native)[0] + options.noise * rng.normal(size=(len(is_center), 3))
        if options.thermal:
            white = torch.from_numpy(rng.normal(size=centers.shape)).float()
            centers += thermal_motion(torch.from_numpy(beads(native)[0]).float(), white).numpy()
        if options.kinds == "ca+sc":
            known = is_center & bead_weights(native.trace).any(axis=1)
            side_chains = np.where(known[:, None], centers, np.nan).astype(np.float32)
            yield native, replace(chunk, beads=side_chains[None])
        else:
            positions = np.where(is_center[:, None], centers, chunk.positions).astype(np.float32)
            yield native, replace(chunk, positions=positions)


def superposed(native: AtomStructure, built: AtomStructure, chunk: FrameChunk) -> tuple[float, float]:
    """RMSD (Å) of backbone and of the given beads from the native, after superposition of the chain."""
    known = native.present[:, BACKBONE] & np.isfinite(built.atoms[0, :, BACKBONE]).all(axis=-1).T
    pairs = (x.atoms[0][:, BACKBONE][known] for x in (built, native))
    given = chunk.positions if native.trace.com_beads is not None else native.atoms[:, :, CA_SLOT]
    exact = np.where(has_com(native)[:, None], beads(native)[0], native.atoms[0, :, CA_SLOT])
    return rmsd(*pairs, superposition=True), rmsd(given[0], exact, superposition=True)


def cis_prolines(native: AtomStructure, built: AtomStructure) -> np.ndarray:
    """Whether the peptide before each proline (N) is cis, in the native and as it is built: (2, N)."""
    known = np.isfinite(omega(native)) & (native.trace.residue_types == PRO)
    return np.stack([is_cis(omega(structure)[known]) for structure in (native, built)])


def omega(structure: AtomStructure) -> np.ndarray:
    """Torsion (rad) of the peptide before each residue (L); nan where there is none."""
    types = structure.trace.residue_types
    return measure_torsions(types, structure.atoms, structure.present, structure.linked())[0, :, OMEGA]


def isomers(is_cis_proline: np.ndarray) -> dict[str, float | None]:
    """Percentages of what `cis_prolines` returns of all structures; None of no peptides."""
    native, built = is_cis_proline
    parts = {"cis_proline_kept_percent": built[native], "cis_proline_false_percent": built[~native]}
    return {name: 100.0 * float(part.mean()) if len(part) else None for name, part in parts.items()}


def has_com(native: AtomStructure) -> np.ndarray:
    """Which residues (L) have beads at their centres of mass."""
    com = native.trace.com_beads
    return np.zeros(len(native.trace), dtype=bool) if com is None else com


def has_all_atoms(native: AtomStructure) -> np.ndarray:
    """Which residues (L) have all their heavy atoms, so that their centre is known."""
    return np.asarray((native.present | ~slot_mask()[native.trace.residue_types]).all(axis=1))


def beads(structure: AtomStructure) -> np.ndarray:
    """Centres (F, L, 3) of all residues, Å."""
    weights = torch.from_numpy(bead_weights(structure.trace))
    return bead_positions(torch.from_numpy(structure.atoms).double(), weights).numpy()


def rms(differences: list[np.ndarray]) -> float | None:
    """Root mean square distance (Å)."""
    if not differences:
        return None
    squares = np.concatenate([(step.astype(np.float64) ** 2).sum(-1).ravel() for step in differences])
    return float(np.sqrt(squares.mean()))


if __name__ == "__main__":
    main()
