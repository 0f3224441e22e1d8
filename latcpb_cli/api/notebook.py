"""How results look in a notebook."""

from __future__ import annotations

import importlib.util
import io
from html import escape
from typing import TYPE_CHECKING, Any

from latcpb_cli.errors import UsageError

if TYPE_CHECKING:
    from MDAnalysis import Universe

    from latcpb_cli.api.backmapped import Backmapped

__all__ = ["molecule_view", "summary_html"]

_SIZE = {"width": 420, "height": 320}


def summary_html(result: Backmapped) -> str:
    """Return a small table of a result, with a 3D view of its first structure where py3Dmol is installed."""
    summary = result.report.summary
    rows = {
        "frames": f"{len(result):,}",
        "samples of each": f"{result.run.options.samples}",
        "residues": f"{len(result.run.source.trace):,}",
        "atoms": f"{len(result.topology):,}",
        "overlaps ≥ 0.4 Å per 1,000 atoms": f"{summary['overlap04_per_1000']['mean']:.2f}",
        "residues with a contact < 1.2 Å, %": f"{summary['contact12_percent']['mean']:.2f}",
        "rings pierced": f"{summary['pierced_rings']['mean']:.2f}",
        "frames with problems": f"{len(result.report.problems):,}",
    }
    cells = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:right'>{value}</td></tr>"
        for name, value in rows.items()
    )
    view = ""
    if importlib.util.find_spec("py3Dmol") is not None:
        view = _py3dmol(result.universe, 0)._make_html()
    return f"<table>{cells}</table>{view}"


def molecule_view(universe: Universe, frame: int) -> object:
    """Return a view of one frame, by py3Dmol or by nglview.

    Raises
    ------
    UsageError
        Neither is installed.
    """
    if importlib.util.find_spec("py3Dmol") is not None:
        return _py3dmol(universe, frame)
    if importlib.util.find_spec("nglview") is not None:
        import nglview

        view = nglview.show_mdanalysis(universe)
        view.frame = frame
        return view
    raise UsageError("no 3D view without py3Dmol or nglview", "pip install py3Dmol")


def _py3dmol(universe: Universe, frame: int) -> Any:
    import py3Dmol
    from MDAnalysis import Writer
    from MDAnalysis.lib.util import NamedStream

    universe.trajectory[frame]
    stream = NamedStream(io.StringIO(), "structure.pdb")
    with Writer(stream, universe.atoms.n_atoms) as writer:
        writer.write(universe.atoms)
    stream.seek(0)
    view = py3Dmol.view(**_SIZE)
    view.addModel(stream.read(), "pdb")
    view.setStyle({"cartoon": {"color": "spectrum"}, "stick": {"radius": 0.12}})
    view.zoomTo()
    return view
