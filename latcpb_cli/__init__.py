"""latcpb: all atoms back from a coarse-grained Cα trajectory.

>>> import latcpb_cli as latcpb
>>> model = latcpb.Backmapper.from_pretrained()  # doctest: +SKIP
>>> source = latcpb.open_source(["traj.xtc"], "cg.pdb")  # doctest: +SKIP
>>> latcpb.backmap_trajectory(model, source, "all.xtc")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Backmapper", "__version__", "backmap_trajectory", "open_source"]
__version__ = "0.1.0"

# Loaded when asked for, so that `latcpb --help` starts without torch.
_HOMES = {"Backmapper": "backmapper", "backmap_trajectory": "pipeline", "open_source": "io.read"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"latcpb_cli has no {name!r}")
    return getattr(import_module(f"latcpb_cli.{_HOMES[name]}"), name)
