"""Every figure of an evaluation: its name, its label, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DEFINITIONS", "Definition", "Kind", "definition"]

Kind = Literal["mean", "mean_max", "percent", "count"]

_PROBE = "Word et al. 1999, doi:10.1006/jmbi.1998.2400"
_MOLPROBITY = "Chen et al. 2010, doi:10.1107/S0907444909042073"
_RING = "a bond of another residue crosses the fan of triangles from the centre of the ring to its atoms"


@dataclass(frozen=True, eq=False)
class Definition:
    """What a figure means.

    Attributes
    ----------
    name : str
        Path in the summary of a column, such as ``validity.bonds``; figures of the group
        ``accuracy`` are in ``inner`` and in ``all``, for instance ``inner.rmsd.backbone``.
    label : str
        Name in tables, with its unit.
    group : {'accuracy', 'torsions', 'validity', 'shape', 'beads', 'samples'}
    kind : {'mean', 'mean_max', 'percent', 'count'}
        What the summary holds: a mean over frames and structures; a dictionary of
        ``mean`` and ``max``; a dictionary of ``count``, ``of`` and ``percent``, of
        which tables show the percentage or the count.
    better : {'lower', 'higher', ''}
        Which values are good; '' where neither is.
    text : str
        The definition, in full sentences.
    source : str
        Publication or program that it comes from, '' where it is our own.
    """

    name: str
    label: str
    group: str
    kind: Kind
    better: str
    text: str
    source: str = ""


def _accuracy(name: str, label: str, kind: Kind, better: str, text: str, source: str = "") -> Definition:
    return Definition(name, label, "accuracy", kind, better, text, source)


def _validity(
    name: str, label: str, kind: Kind, text: str, source: str = "", better: str = "lower"
) -> Definition:
    return Definition(f"validity.{name}", label, "validity", kind, better, text, source)


def _shape(name: str, label: str, kind: Kind, text: str, source: str = "") -> Definition:
    return Definition(f"shape.{name}", label, "shape", kind, "", text, source)


def _distance(name: str, label: str) -> Definition:
    return Definition(
        f"shape_distance.{name}", label, "shape", "mean", "lower",
        "First Wasserstein distance of the values over frames from those of the reference; frames need "
        "not belong together.",
    )  # fmt: skip


def _beads(kind: str, what: str) -> tuple[Definition, Definition]:
    text = (
        f"Distance of {what}, recomputed from the atoms of a structure, from the bead of the coarse-grained "
        "input (--beads), as the mean over residues and frames. Nothing is superposed."
    )
    worst = "The largest of these distances in a frame; the summary has the mean and the largest over frames."
    return (
        Definition(f"beads.{kind}", f"{what}, Å", "beads", "mean", "lower", text),
        Definition(f"beads.{kind}_max", f"{what}, worst of a frame, Å", "beads", "mean_max", "lower", worst),
    )


DEFINITIONS = (
    _accuracy(
        "rmsd.all_heavy", "RMSD all heavy atoms, Å", "mean", "lower",
        "Root mean square distance to the reference over all heavy atoms that both have, as the mean over "
        "frames. Nothing is superposed unless --superpose says so. Symmetric groups (Asp, Glu, Phe, Tyr, "
        "Arg) count in their better orientation.",
    ),
    _accuracy(
        "rmsd.backbone", "RMSD backbone N C O, Å", "mean", "lower",
        "The same over N, C and O; CA is given and would make it smaller.",
    ),
    _accuracy("rmsd.side_chain", "RMSD side chain, Å", "mean", "lower", "The same from CB on."),
    _accuracy(
        "chi.chi1", "χ1 within 40°, %", "percent", "higher",
        "Residues whose χ1 is within 40° of the reference. Prolines are left out.",
    ),
    _accuracy(
        "chi.chi1_chi2", "χ1+2 within 40°, %", "percent", "higher",
        "Residues whose χ1 and χ2 both are; χ2 of Asp, Phe and Tyr repeats after 180°.",
    ),
    _accuracy(
        "ged", "GED, number of bonds", "mean", "lower",
        "Bonds join atoms nearer than 1.3 times the sum of their covalent radii. The difference of the "
        "numbers of bonds, relative to the reference: an additional bond makes up for a missing one.",
        "as computed by the code of GenZProt (Yang and Gómez-Bombarelli 2023, arXiv:2303.01569); radii: "
        "Cordero et al. 2008, doi:10.1039/b801115j",
    ),
    _accuracy(
        "ged_symmetric", "GED, symmetric difference", "mean", "lower",
        "Bonds that only one of the two has, relative to the bonds of the reference: the graph edit "
        "distance of graphs with the same atoms.",
    ),
    _accuracy(
        "cis_kept", "cis peptides kept", "count", "higher",
        "Cis peptides of the reference (ω nearer to 0 than to 180°) that are cis here, too.",
    ),
    Definition(
        "torsions.kl.mean", "KL of torsions", "torsions", "mean", "lower",
        "KL(this || reference) of the histograms of φ, ψ and χ1 to χ4 in 72 bins of 5° with one count "
        "added to each bin, in nats, as the mean over the angles; of several samples, the mean over "
        "samples. It falls with the number of frames.",
    ),
    Definition(
        "torsions.js.mean", "JS of torsions", "torsions", "mean", "lower",
        "The Jensen-Shannon divergence of the same histograms, in nats.",
    ),
    _validity(
        "contact12_percent", "residues with a contact < 1.2 Å, %", "mean_max",
        "Residues with a heavy atom nearer than 1.2 Å to one of another residue that it is not bonded to.",
        "Jones et al. 2023 (DiAMoNDBack), arXiv:2307.12451",
    ),
    _validity(
        "overlap04_per_1000", "overlaps ≥ 0.4 Å per 1,000 atoms", "mean_max",
        "Pairs of heavy atoms whose van der Waals spheres (Bondi radii) overlap by 0.4 Å or more, per 1,000 "
        "heavy atoms: a clashscore without hydrogens. Pairs joined by one to three bonds are left out; two "
        "out of N and O may come as near as 2.5 Å, two S as near as 1.9 Å.",
        f"limit: {_PROBE}; radii: Bondi 1964, doi:10.1021/j100785a001",
    ),
    _validity(
        "clashscore", "clashscore with hydrogens", "mean_max",
        "Serious clashes (overlap of 0.4 Å or more) per 1,000 atoms, hydrogens included, with the radii "
        "and exclusions of Probe; only for structures that have hydrogens. None is added, no group is "
        "flipped.",
        f"MolProbity: {_MOLPROBITY}; Probe: {_PROBE}",
    ),
    _validity(
        "bonds", "bond lengths off > 10 %, %", "percent",
        "Bonds between heavy atoms whose length differs by more than 10 % from its mean in crystal "
        "structures.",
    ),
    _validity(
        "peptide_bonds", "peptide C–N off > 10 %, %", "percent",
        "The same for C–N between residues. Residues whose Cα are more than 4.5 Å apart are not joined.",
    ),
    _validity(
        "angles", "bond angles off > 10°, %", "percent",
        "Bond angles that differ by more than 10° from their mean in crystal structures.",
    ),
    _validity("n_ca_c", "N–Cα–C off > 10°, %", "percent", "The same for N–Cα–C."),
    _validity(
        "omega", "ω off planar > 30°, %", "percent", "Peptides whose ω is more than 30° from 0 and 180°.",
        "limit: MolProbity, Williams et al. 2018, doi:10.1002/pro.3330",
    ),
    _validity(
        "cis_non_proline", "cis non-Pro peptides", "count",
        "Cis peptides (ω nearer to 0 than to 180°) before any residue but proline; 0.05 % in crystal "
        "structures.",
        "Williams et al. 2018, doi:10.1002/pro.3330",
    ),
    _validity(
        "cis_proline", "cis Pro peptides", "count",
        "Cis peptides before proline; 5 to 7 % in crystal structures.", better="",
    ),
    _validity(
        "d_residues", "D residues", "count", "Residues whose N, C and CB go round Cα the wrong way."
    ),
    _validity("inverted_cb", "Thr/Ile Cβ inverted", "count", "Threonines and isoleucines with the wrong Cβ."),
    _validity("pierced_rings", "rings pierced", "count", f"Rings of five or six atoms where {_RING}."),
    _validity(
        "lassos", "lassos", "count",
        "Disulfides (SG 1.9 to 2.5 Å apart) that close a loop through which a chain runs; some native "
        "proteins have one.",
        "Niemyska et al. 2016, doi:10.1038/srep36895",
    ),
    _validity(
        "ramachandran_favoured", "Ramachandran favoured, %", "percent",
        "Residues whose φ and ψ lie in the region that holds 98 % of those of crystal structures (2.0 Å "
        "or better), of four classes: general, glycine, proline, before proline.",
        "levels as in Lovell et al. 2003, doi:10.1002/prot.10286; maps of our own", better="higher",
    ),
    _validity(
        "ramachandran_outliers", "Ramachandran outliers, %", "percent",
        "Residues outside the region that holds 99.95 % of those of crystal structures.",
        "levels as in Lovell et al. 2003, doi:10.1002/prot.10286; maps of our own",
    ),
    _validity(
        "ramachandran_z", "Ramachandran Z-score", "mean",
        "How usual φ and ψ are: the mean over residues of the logarithm of their density in crystal "
        "structures, standardised for each class of residue, over its standard deviation between crystal "
        "structures of that size. Crystal structures have a mean of 0 and a standard deviation of 1; below "
        "-3 is suspect.",
        "Hooft et al. 1997, doi:10.1093/bioinformatics/13.4.425; limit: Sobolev et al. 2020, "
        "doi:10.1016/j.str.2020.08.005; maps of our own, not split by secondary structure",
        better="higher",
    ),
    _validity(
        "chi1_outliers", "χ1 > 40° off staggered, %", "percent",
        "χ1 more than 40° from each of −60, 60 and 180°. Prolines are left out.",
    ),
    _validity(
        "rotamer_outliers", "rotamer outliers, %", "percent",
        "Residues in a rotamer (a cell for each χ) that less than 0.3 % of the residues of its type have in "
        "crystal structures.",
        "level as in Hintze et al. 2016, doi:10.1002/prot.25039; cells and frequencies of our own",
    ),
    _validity(
        "chi1_jumps", "χ1 that jump > 60° to the next frame, %", "percent",
        "χ1 that turn by more than 60° from one frame to the next. Prolines are left out.",
        better="",
    ),
    _shape(
        "radius_of_gyration", "radius of gyration, Å", "mean",
        "Root mean square distance of the heavy atoms from their centre of mass, weighted by mass.",
    ),
    _shape(
        "end_to_end", "end to end, Å", "mean",
        "Distance from the first to the last Cα of a chain, as the mean over chains.",
    ),
    _shape(
        "helix", "helix, %", "percent",
        "Residues inside two successive turns of 3, 4 or 5 residues (H, G, I of DSSP).",
        "Kabsch and Sander 1983, doi:10.1002/bip.360221211",
    ),
    _shape(
        "strand", "strand, %", "percent", "Residues in a bridge (E, B of DSSP), without those of bulges.",
        "Kabsch and Sander 1983, doi:10.1002/bip.360221211",
    ),
    _shape(
        "sasa", "solvent-accessible surface, Å²", "mean",
        "Surface of the heavy atoms that a sphere of 1.4 Å can touch, of up to 20 frames.",
        "Shrake and Rupley 1973, doi:10.1016/0022-2836(73)90011-9; radii: Bondi 1964",
    ),
    _distance("radius_of_gyration", "radius of gyration, distance of distributions, Å"),
    _distance("end_to_end", "end to end, distance of distributions, Å"),
    _distance("sasa", "surface, distance of distributions, Å²"),
    *_beads("ca", "Cα"),
    *_beads("com", "centres of mass of residues"),
    *_beads("sc", "centres of side chains"),
    Definition(
        "diversity.pairwise_side_chain_rmsd", "side chains of samples apart, Å", "samples", "mean", "",
        "RMSD over side chains of all pairs of samples of a frame, as the mean; inner residues.",
    ),
    Definition(
        "diversity.div", "DIV", "samples", "mean", "lower",
        "1 − (mean RMSD between samples / mean RMSD to the reference), over all heavy atoms of inner "
        "residues: 0 where samples differ from each other as much as from the reference.",
        "Jones et al. 2023 (DiAMoNDBack), arXiv:2307.12451",
    ),
)  # fmt: skip
"""In the order of the tables. Those of the group ``accuracy`` exist for ``inner`` and ``all`` residues."""


def definition(name: str) -> Definition:
    """Return a definition by its name."""
    return next(entry for entry in DEFINITIONS if entry.name == name)
