"""Chain identifiers and residue numbers that the output of a run cannot keep."""

from __future__ import annotations

from latcpb_cli.io.beads.chains import list_some
from latcpb_cli.io.writers.labels import (
    CHAIN_LETTERS,
    RenamedChain,
    cif_chain_names,
    first_lost_number,
    pdb_chain_letters,
    renamed_chains,
)
from latcpb_cli.run.output_plan import OutputPlan
from latcpb_cli.structure import CGTrace

__all__ = ["chains_renamed_in", "label_notes"]

_MAX_PDB_RESID = 9999


def chains_renamed_in(plan: OutputPlan, trace: CGTrace) -> list[RenamedChain]:
    """List the chains whose identifiers the output cannot keep."""
    is_pdb = plan.structure_file.suffix.lower() == ".pdb"
    return renamed_chains(trace, pdb_chain_letters(trace) if is_pdb else cif_chain_names(trace))


def label_notes(plan: OutputPlan, trace: CGTrace) -> list[str]:
    """Describe what the output cannot keep, one line each."""
    file, notes = plan.structure_file, []
    is_pdb = file.suffix.lower() == ".pdb"
    way_out = "-o OUT.cif" if file == plan.output else "--topology cif"
    if renamed := chains_renamed_in(plan, trace):
        changes = list_some([f"{chain.given} is {chain.written}" for chain in renamed])
        kept = f"; {way_out} keeps them" if is_pdb and any(len(chain.given) > 1 for chain in renamed) else ""
        notes.append(f"renamed chains in {file.name}: {changes} (table at its head{kept})")
    return notes + _pdb_notes(file.name, trace, way_out) if is_pdb else notes


def _pdb_notes(name: str, trace: CGTrace, way_out: str) -> list[str]:
    notes = []
    n_chains, lost = int(trace.chain_index[-1]) + 1, first_lost_number(trace)
    if n_chains > len(CHAIN_LETTERS):
        notes.append(f"{n_chains} chains share {len(CHAIN_LETTERS)} letters in {name}; {way_out} names all")
    if lost is not None:
        notes.append(
            f"residue numbers of five columns, from {trace.labels[lost]} on, have their last four in {name}; "
            f"{way_out} keeps them"
        )
    elif trace.resids.max() > _MAX_PDB_RESID:
        notes.append(f"residue numbers above {_MAX_PDB_RESID} start again from 0 in {name}")
    return notes
