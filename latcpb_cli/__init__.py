"""latcpb: all atoms back from a coarse-grained Cα trajectory.

>>> import latcpb_cli as latcpb
>>> model = latcpb.Backmapper.from_pretrained()  # doctest: +SKIP
>>> source = latcpb.open_source(["traj.xtc"], "cg.pdb")  # doctest: +SKIP
>>> options = latcpb.BackmapOptions(samples=4, seed=7)
>>> latcpb.backmap_trajectory(model, source, "all.xtc", options)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "BackmapOptions",
    "Backmapper",
    "FrameWindow",
    "MdOptions",
    "ReadOptions",
    "__version__",
    "backmap_trajectory",
    "open_source",
]
__version__ = "0.1.0"

# Loaded on first use, so that `latcpb --help` starts without torch.
_MODULES = {
    "BackmapOptions": "options",
    "Backmapper": "backmapper",
    "FrameWindow": "options",
    "MdOptions": "options",
    "ReadOptions": "options",
    "backmap_trajectory": "run.pipeline",
    "open_source": "io.open_source",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"latcpb_cli has no {name!r}")
    return getattr(import_module(f"latcpb_cli.{_MODULES[name]}"), name)
