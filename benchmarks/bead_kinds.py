"""How many beads `--beads auto` takes for what they are: Cα, centres of mass, and domains of these.

    python benchmarks/bead_kinds.py DATA [--set heldout]

Domains have 40 to 150 residues, stretches of Cα between them 8 to 60. Noise is that of single beads (Å);
distances are medians over the frames. The figures are printed as JSON: chains in which centres of mass were
found, chains that were refused, and the percentage of residues that were classified right in the others.
"""

from __future__ import annotations

import json

import numpy as np
import torch
from arguments import measurement_parser
from chains import reference_chains

from latcpb_cli.chem.residues import slot_mask
from latcpb_cli.com_beads.definition import centers_of_mass
from latcpb_cli.io.beads.kind_recognition import recognize_com
from latcpb_cli.io.beads.spacing import measure_spacing
from latcpb_cli.structure import AtomStructure

CASES = (
    ("Cα", 0.0, 1), ("Cα", 0.3, 1), ("centres of mass", 0.0, 1), ("centres of mass", 0.3, 1),
    ("domains", 0.0, 1), ("domains", 0.3, 1), ("domains", 0.3, 7),
)  # fmt: skip
"""Kinds of beads, noise on single beads (Å), frames."""
DOMAIN, LINKER = (40, 150), (8, 60)


def main() -> None:
    options = measurement_parser(__doc__).parse_args()
    natives = [native for _, native, _ in reference_chains(options.data, options.set)]
    rows = []
    for kind, noise, frames in CASES:
        rng = np.random.default_rng(0)
        results = [classify(native, kind, noise, frames, rng) for native in natives]
        counts, right = [outcome for outcome, _ in results], [r for _, r in results if r is not None]
        rows.append(
            {"beads": kind, "noise": noise, "frames": frames, "chains": len(natives)}
            | {name: counts.count(name) for name in ("found", "refused")}
            | {"right_percent": round(100.0 * float(np.concatenate(right).mean()), 2)}
        )
    print(json.dumps(rows, indent=1, ensure_ascii=False))


def classify(
    native: AtomStructure, kind: str, noise: float, frames: int, rng: np.random.Generator
) -> tuple[str, np.ndarray | None]:
    """Whether centres of mass were found in a chain, and which residues were right."""
    trace, atoms = native.trace, native.atoms[0]
    types = trace.residue_types
    is_com = sample_kinds(len(trace), kind, rng) & (native.present | ~slot_mask()[types]).all(axis=1)
    centers = centers_of_mass(torch.from_numpy(atoms), torch.from_numpy(types)).numpy()
    positions = np.where(is_com[:, None], centers, atoms[:, 1])
    positions = positions + noise * rng.normal(size=(frames, *positions.shape))
    distances = np.median(np.linalg.norm(np.diff(positions, axis=1), axis=-1), axis=0)
    spacing = measure_spacing(trace, distances)
    found = recognize_com(trace, distances, spacing)
    if not found.certain or (spacing.regions and not found.is_com.any()):
        return "refused", None
    return "found" if found.is_com.any() else "none", found.is_com == is_com


def sample_kinds(length: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Which residues are centres of mass."""
    if kind != "domains":
        return np.full(length, kind != "Cα")
    is_com = np.zeros(length, dtype=bool)
    start, inside = 0, bool(rng.integers(2))
    while start < length:
        size = int(rng.integers(*(DOMAIN if inside else LINKER)))
        is_com[start : start + size] = inside
        start, inside = start + size, not inside
    return is_com


if __name__ == "__main__":
    main()
