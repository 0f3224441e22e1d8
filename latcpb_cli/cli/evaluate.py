"""``latcpb evaluate``: a generated structure against its reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["evaluate"]

_ACCURACY = (
    ("RMSD all heavy atoms, Å", ("rmsd", "all_heavy")),
    ("RMSD backbone N C O, Å", ("rmsd", "backbone")),
    ("RMSD side chain, Å", ("rmsd", "side_chain")),
    ("χ1 within 40°, %", ("chi", "chi1", "percent")),
    ("χ1+2 within 40°, %", ("chi", "chi1_chi2", "percent")),
    ("GED, number of bonds", ("ged",)),
    ("GED, symmetric difference", ("ged_symmetric",)),
    ("cis peptides kept", ("cis_kept",)),
)
_VALIDITY = (
    ("residues with a contact < 1.2 Å, %", ("contact12_percent", "mean")),
    ("overlaps ≥ 0.4 Å per 1,000 atoms", ("overlap04_per_1000", "mean")),
    ("bond lengths off > 10 %, %", ("bonds", "percent")),
    ("peptide C–N off > 10 %, %", ("peptide_bonds", "percent")),
    ("bond angles off > 10°, %", ("angles", "percent")),
    ("N–Cα–C off > 10°, %", ("n_ca_c", "percent")),
    ("ω off planar > 30°, %", ("omega", "percent")),
    ("cis non-Pro peptides", ("cis_non_proline",)),
    ("cis Pro peptides", ("cis_proline",)),
    ("D residues", ("d_residues",)),
    ("Thr/Ile Cβ inverted", ("inverted_cb",)),
    ("rings pierced", ("pierced_rings",)),
    ("Ramachandran favoured, %", ("ramachandran_favoured", "percent")),
    ("Ramachandran outliers, %", ("ramachandran_outliers", "percent")),
    ("χ1 > 40° off staggered, %", ("chi1_outliers", "percent")),
)
_TORSIONS = {"phi": "φ", "psi": "ψ", "chi1": "χ1", "chi2": "χ2", "chi3": "χ3", "chi4": "χ4", "mean": "mean"}


def evaluate(
    ref: Annotated[Path, typer.Argument(help="All-atom reference: PDB, mmCIF, GRO, XTC, TRR or DCD.")],
    gen: Annotated[Path, typer.Argument(help="Generated all-atom structure, with the same residues.")],
    ref_top: Annotated[
        Path | None, typer.Option(help="Topology of the reference, if that is a trajectory.")
    ] = None,
    gen_top: Annotated[
        Path | None, typer.Option(help="Topology of the generated structure, if that is a trajectory.")
    ] = None,
    samples: Annotated[
        int,
        typer.Option(min=1, help="Models of GEN for each frame of REF, the samples of a frame in a row."),
    ] = 1,
    json_: Annotated[
        Path | None, typer.Option("--json", help="Write every figure to this file as JSON.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing JSON file.")] = False,
) -> None:
    """Compare a generated all-atom structure or trajectory with its reference.

    Nothing is superposed. Residues are matched by chain, number, insertion
    code and name, frames by their order. The left column leaves out the
    residues at chain ends and breaks.
    """
    from rich.console import Console

    from latcpb_cli.errors import OutputExistsError, UsageError
    from latcpb_cli.io.all_atom import read_all_atom
    from latcpb_cli.metrics.summary import evaluate_pair

    if json_ is not None and not json_.parent.is_dir():
        raise UsageError(f"{json_}: no such folder {json_.parent}", "make the folder first")
    if json_ is not None and json_.exists() and not overwrite:
        raise OutputExistsError(f"{json_} exists", "add --overwrite to replace it")
    reference, generated = read_all_atom(ref, ref_top), read_all_atom(gen, gen_top)
    result = evaluate_pair(reference, generated, samples, names=(str(ref), str(gen)))
    result["left_out"] = {"reference": reference.left_out, "generated": generated.left_out}
    console = Console()
    console.print(_heading(result), highlight=False, markup=False, soft_wrap=True)
    for table in (_accuracy_table(result), _torsion_table(result), _validity_table(result)):
        console.print(table)
    if result["diversity"] is not None:
        console.print(_diversity(result["diversity"]), highlight=False, soft_wrap=True)
    if json_ is not None:
        _write_json(json_, result, ref, gen)


def _heading(result: dict[str, Any]) -> str:
    atoms = result["atoms"]
    counts = {**{key: result[key] for key in ("residues", "frames", "samples")}, "atoms": atoms["compared"]}
    lines = [", ".join(f"{name}: {count}" for name, count in counts.items())]
    for side in ("reference", "generated"):
        if atoms[f"missing_in_{side}"]:
            lines.append(f"{atoms[f'missing_in_{side}']} atoms are missing in the {side} structure")
        if result["left_out"][side]:
            names = ", ".join(f"{count} {name}" for name, count in result["left_out"][side].items())
            lines.append(f"left out of the {side} structure: {names}")
    return "\n".join(lines)


def _accuracy_table(result: dict[str, Any]) -> Table:
    rows = [
        [label, *(_cell(result[region], keys) for region in ("inner", "all"))] for label, keys in _ACCURACY
    ]
    return _table(("against the reference", "inner", "all"), rows)


def _torsion_table(result: dict[str, Any]) -> Table:
    rows = [
        [kind.upper(), *(_cell(result["torsions"][kind], (a,)) for a in _TORSIONS)] for kind in ("kl", "js")
    ]
    return _table(("torsions", *_TORSIONS.values()), rows)


def _validity_table(result: dict[str, Any]) -> Table:
    sides = [result["validity"][side] for side in ("reference", "generated")]
    rows = [[label, *(_cell(side, keys) for side in sides)] for label, keys in _VALIDITY]
    if result["frames"] > 1:
        jumps = (_number(side["percent"]) for side in result["chi1_jumps"].values())
        rows.append(["χ1 that jump > 60° to the next frame, %", *jumps])
    return _table(("validity", "reference", "generated"), rows)


def _diversity(diversity: dict[str, float | None]) -> str:
    pairwise, div = (_number(diversity[key]) for key in ("pairwise_side_chain_rmsd", "div"))
    return f"diversity of the samples: side chains {pairwise} Å apart, DIV {div}"


def _table(columns: tuple[str, ...], rows: list[list[str]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    return table


def _cell(values: dict[str, Any], keys: tuple[str, ...]) -> str:
    value: Any = values
    for key in keys:
        value = value[key]
    if isinstance(value, dict):
        return f"{value['count']}/{value['of']}"
    return _number(value)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if 0 < abs(value) < 0.1 else f"{value:.2f}"


def _write_json(path: Path, result: dict[str, Any], ref: Path, gen: Path) -> None:
    import json
    import os

    from latcpb_cli import __version__

    content = {"version": __version__, "reference": str(ref), "generated": str(gen), **result}
    part = Path(f"{path}.part")
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)
