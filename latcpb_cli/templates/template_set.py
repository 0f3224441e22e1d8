"""Template files, read and matched to the residues of an input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64

from latcpb_cli.chem.residues import CA_SLOT, slot_mask
from latcpb_cli.choices import TEMPLATE_TOLERANCE
from latcpb_cli.errors import InputError
from latcpb_cli.io.all_atom import open_all_atom
from latcpb_cli.io.beads.named_residues import list_chains, named_residues
from latcpb_cli.residue_ranges import ResidueRange
from latcpb_cli.structure import CGTrace
from latcpb_cli.templates.matching import ChainMap, match_chains
from latcpb_cli.templates.template import Template

__all__ = ["TemplateSet", "read_templates"]


@dataclass(frozen=True, eq=False)
class TemplateSet:
    """The templates of a run.

    Attributes
    ----------
    templates : tuple of Template
        Those that have residues of the input.
    notes : tuple of str
        What was matched, one line for each file.
    facts : tuple of dict
        The same for the report: ``file``, ``residues`` and ``side_chains``.
    """

    templates: tuple[Template, ...] = ()
    notes: tuple[str, ...] = ()
    facts: tuple[dict[str, Any], ...] = ()

    def knows_side_chain(self) -> Bool[np.ndarray, "L"]:
        """Which residues have a side chain in a template."""
        return np.asarray(np.any([template.rotamer >= 0 for template in self.templates], axis=0))


def read_templates(
    paths: Sequence[Path],
    trace: CGTrace,
    chain_map: ChainMap | None = None,
    ranges: Sequence[ResidueRange] = (),
    tolerance: float = TEMPLATE_TOLERANCE,
) -> TemplateSet:
    """Read all-atom structures, and match each to the residues of an input.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Structures; of several models the first counts.
    trace : CGTrace
        L residues of the input.
    chain_map : mapping of str to tuple of str, optional
        Template chains of input chains, by identifier; see `match_chains`.
    ranges : sequence of ResidueRange
        Residues of the input that may use a template; all where there are none.
    tolerance : float
        See `Template`, Å.

    Returns
    -------
    TemplateSet

    Raises
    ------
    InputError
        A file is not readable as an all-atom structure, a chain or a range names nothing, or no residue
        has a partner.
    """
    allowed = np.ones(len(trace), dtype=bool)
    if ranges:
        allowed = named_residues(trace, ranges, "--template-only-domains")
    _check_input_chains(trace, chain_map)
    templates, notes, facts = [], [], []
    identifiers: set[str] = set()
    for path in paths:
        source = open_all_atom(path)
        atoms, present, rest = source.read(0, 1)[0], source.present, source.trace
        identifiers.update(map(str, rest.chain_ids))
        rows = np.where(allowed, match_chains(trace, rest, chain_map), -1)
        matched = rows >= 0
        if not matched.any():
            notes.append(f"{path.name}: no residue of this template is in the input")
            continue
        present = present[rows] & matched[:, None]
        in_order = np.where(present[..., None], atoms[rows], np.float32(0.0))
        linked = _linked(trace, rows, rest.linked(atoms[None, :, CA_SLOT])[0])
        template = Template.from_atoms(trace, in_order, present, linked, tolerance)
        templates.append(template)
        notes.append(_describe(path, trace, template, rows, present, len(source)))
        n_known = int((template.rotamer >= 0).sum())
        facts.append({"file": path.name, "residues": int(matched.sum()), "side_chains": n_known})
    _check_template_chains(chain_map, identifiers)
    if not templates:
        raise _nothing_matched(paths, trace, identifiers)
    return TemplateSet(tuple(templates), tuple(notes), tuple(facts))


def _linked(
    trace: CGTrace, rows: Int64[np.ndarray, "L"], template_linked: Bool[np.ndarray, "T"]
) -> Bool[np.ndarray, "L"]:
    """Peptides between residues that follow each other in the input and in the template."""
    linked = np.zeros(len(trace), dtype=bool)
    follows = (rows[:-1] >= 0) & (rows[1:] == rows[:-1] + 1) & trace.same_chain_as_next()[:-1]
    linked[:-1] = follows & template_linked[rows[:-1]]
    for first, last in trace.rings:
        linked[last] = rows[last] >= 0 and rows[first] >= 0 and bool(template_linked[rows[last]])
    return linked


def _check_input_chains(trace: CGTrace, chain_map: ChainMap | None) -> None:
    for name in chain_map or ():
        if name not in trace.chain_ids:
            raise InputError(
                f"--template-map: the input has no chain {name}", f"there are chains {list_chains(trace)}"
            )


def _check_template_chains(chain_map: ChainMap | None, identifiers: set[str]) -> None:
    for name in (name for names in (chain_map or {}).values() for name in names):
        if name not in identifiers:
            raise InputError(
                f"--template-map: no template has a chain {name}",
                f"there are chains {', '.join(sorted(identifiers)[:8])}",
            )


def _nothing_matched(paths: Sequence[Path], trace: CGTrace, identifiers: set[str]) -> InputError:
    return InputError(
        f"{', '.join(path.name for path in paths)}: no chain has the sequence of one in the input",
        "give structures of the same protein, or name chains of one sequence in part: --template-map "
        f"{trace.chain_ids[0]}={min(identifiers)}",
    )


def _describe(
    path: Path,
    trace: CGTrace,
    template: Template,
    rows: Int64[np.ndarray, "L"],
    present: Bool[np.ndarray, "L 15"],
    n_models: int,
) -> str:
    """Return how many residues a file is the template of."""
    matched = rows >= 0
    text = f"{path.name}: template of {matched.sum()} of {len(trace)} residues"
    chains = np.unique(trace.chain_index[matched])
    total = int(np.isin(trace.chain_index, chains).sum())
    if total < len(trace):
        text += f", in {len(chains)} of {trace.chain_index[-1] + 1} chains"
    expected = slot_mask()[trace.residue_types]
    incomplete = int((matched & (expected & ~present[:, : expected.shape[1]]).any(1)).sum())
    if incomplete:
        text += f"; {incomplete} lack atoms"
    return text + (f"; the first of {n_models} models" if n_models > 1 else "")
