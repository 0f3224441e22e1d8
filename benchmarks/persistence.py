"""How often χ1 of the frames of an ensemble stays in the rotamer of its first frame, by how far the trace is.

    python benchmarks/persistence.py DATA [--weights DIR] [--set train] [--frames 12] [--ensembles ID,ID]

For residues of each deviation from the first frame (Å, as `Template.deviation` measures it): the percentage
of χ1 in the same rotamer, and the mean probability that the model gives this rotamer in best mode without a
template. Last, over all residues, the probability that a side chain is that of the first frame beyond what
the model predicts: the one under which the natives are most likely, in the mixture of `mix_template`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from arguments import measurement_parser
from chains import whole_trajectory
from templates import folded_ensembles, select_frames

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.chem.rotamers import N_ROTAMERS, rotamer_indices, rotamer_states
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.accuracy import inner_residues
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import AtomStructure
from latcpb_cli.templates.template import Template

__all__ = ["Persistence", "first_chi_persistence"]

CHI = slice(TORSION_NAMES.index("chi1"), None)
BOUNDARIES = (0.0, 0.15, 0.3, 0.5, 0.8, 1.2, 2.0, np.inf)
"""Of deviations, Å."""
MIN_COUNT = 30
_GRID = np.linspace(0.0, 0.995, 200)
_MIN_PROBABILITY = 1e-3


@dataclass(frozen=True, eq=False)
class Persistence:
    """N side chains that a template and a frame have.

    Attributes
    ----------
    deviation : numpy.ndarray, shape (N,)
        Of the surroundings, Å.
    same : numpy.ndarray of bool, shape (N,)
        Whether χ1 is in the rotamer of the template.
    template, native : numpy.ndarray, shape (N,)
        Probabilities that the model gives the two rotamers of χ1.
    """

    deviation: np.ndarray
    same: np.ndarray
    template: np.ndarray
    native: np.ndarray

    def percentages(self) -> tuple[float, float]:
        """Percentage of χ1 that are kept, and mean probability (%) of the template's by the model."""
        return 100 * float(self.same.mean()), 100 * float(self.template.mean())

    def between(self, low: float, high: float) -> Persistence:
        """The side chains of some deviations."""
        rows = (self.deviation >= low) & (self.deviation < high)
        return Persistence(*(values[rows] for values in vars(self).values()))

    def beyond_the_model(self) -> float:
        """The probability that a side chain is the template's, as a part of a mixture with the model's."""
        template, native = (
            np.maximum(each, _MIN_PROBABILITY)[:, None] for each in (self.template, self.native)
        )
        likelihood = np.where(self.same[:, None], _GRID + (1 - _GRID) * template, (1 - _GRID) * native)
        return float(_GRID[np.log(likelihood).mean(0).argmax()])


def first_chi_persistence(template: Template, native: AtomStructure, model: np.ndarray) -> Persistence:
    """Compare χ1 of frames with a template, and with the probabilities (F, L, 81) that the model gives."""
    types, linked = native.trace.residue_types, native.linked()
    states = _first_states()[types]
    torsions = measure_torsions(types, native.atoms, native.present, linked)[..., CHI]
    rotamer = rotamer_indices(torsions, types)
    deviation = template.deviation(native.atoms[:, :, CA_SLOT], linked, native.trace.next_residue)
    known = (template.rotamer >= 0) & (rotamer >= 0) & np.isfinite(torsions[..., 0]) & np.isfinite(deviation)
    known &= inner_residues(linked) & (states[:, 0] >= 0)
    rows = np.arange(len(types))
    ours, theirs = states[rows, template.rotamer.clip(0)], states[rows, rotamer.clip(0)]
    probability = model.astype(float)
    values = (
        deviation,
        ours == theirs,
        np.where(states == ours[:, None], probability, 0.0).sum(-1),
        np.where(states == theirs[..., None], probability, 0.0).sum(-1),
    )
    return Persistence(*(each[known] for each in values))


def _first_states() -> np.ndarray:
    """Cell of χ1 of each rotamer of each residue type, (20, 81); -1 where there is none."""
    table = np.full((20, N_ROTAMERS), -1)
    for kind in range(len(table)):
        for index, state in enumerate(rotamer_states(kind)):
            table[kind, index] = state[0] if len(state) else -1
    return table


def main() -> None:
    options = parse_options()
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    best = BackmapOptions(mode="best")
    ranges = list(zip(BOUNDARIES[:-1], BOUNDARIES[1:], strict=True))
    print(f"{'ensemble':24s}" + "".join(f"{f'to {high:g} Å':>11s}" for _, high in ranges) + "     beyond")
    for name in options.ensembles or folded_ensembles(options.data, options.set):
        whole, chunk = whole_trajectory(options.data, name, options.frames)
        (first, _), (native, others) = (
            select_frames(whole, chunk, rows) for rows in (slice(1), slice(1, None))
        )
        template = Template.from_atoms(whole.trace, first.atoms[0], first.present, first.linked()[0])
        model = backmapper.rotamer_consensus(native.trace, others, best).probabilities
        kept = first_chi_persistence(template, native, model)
        parts = [kept.between(*each) for each in ranges]
        cells = [
            "{:.0f} ({:.0f})".format(*p.percentages()) if len(p.same) >= MIN_COUNT else "–" for p in parts
        ]
        print(
            f"{name:24s}" + "".join(f"{c:>11s}" for c in cells) + f"{kept.beyond_the_model():11.2f}",
            flush=True,
        )


def parse_options() -> argparse.Namespace:
    parser = measurement_parser(__doc__, sets=("valid", "train"))
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--ensembles", type=lambda text: text.split(","), help="default: those of the set")
    return parser.parse_args()


if __name__ == "__main__":
    main()
