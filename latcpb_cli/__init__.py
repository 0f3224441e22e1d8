"""latcpb: all atoms back from a coarse-grained Cα trajectory.

>>> import latcpb_cli as latcpb
>>> model = latcpb.Backmapper.from_pretrained()  # doctest: +SKIP
>>> result = model.backmap("traj.xtc", top="cg.pdb", samples=4)  # doctest: +SKIP
>>> result.universe.atoms.positions  # doctest: +SKIP
>>> result.write("all.xtc")  # doctest: +SKIP
"""

from __future__ import annotations

import logging
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from latcpb_cli.api.backmapped import Backmapped
    from latcpb_cli.api.backmapper import Backmapper
    from latcpb_cli.api.evaluation import evaluate
    from latcpb_cli.api.inspection import inspect
    from latcpb_cli.errors import InputError, LatcpbError, OutputError, UsageError, WeightsError
    from latcpb_cli.io.open_source import open_source
    from latcpb_cli.options import BackmapOptions, MdOptions
    from latcpb_cli.read_options import FrameWindow, ReadOptions
    from latcpb_cli.run.pipeline import backmap_trajectory

__all__ = [
    "BackmapOptions",
    "Backmapped",
    "Backmapper",
    "FrameWindow",
    "InputError",
    "LatcpbError",
    "MdOptions",
    "OutputError",
    "ReadOptions",
    "UsageError",
    "WeightsError",
    "__version__",
    "backmap_trajectory",
    "evaluate",
    "inspect",
    "open_source",
]
__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())

# On processors that are not Intel's, MKL multiplies matrices by slower kernels unless this is set before
# its first product. Workers inherit it, so that all processes round alike.
os.environ.setdefault("MKL_CBWR", "AUTO")

# Loaded on first use, so that `latcpb --help` starts without torch.
_MODULES = {
    "BackmapOptions": "options",
    "Backmapped": "api.backmapped",
    "Backmapper": "api.backmapper",
    "FrameWindow": "read_options",
    "InputError": "errors",
    "LatcpbError": "errors",
    "MdOptions": "options",
    "OutputError": "errors",
    "ReadOptions": "read_options",
    "UsageError": "errors",
    "WeightsError": "errors",
    "backmap_trajectory": "run.pipeline",
    "evaluate": "api.evaluation",
    "inspect": "api.inspection",
    "open_source": "io.open_source",
}


if not TYPE_CHECKING:  # or every name would pass for a public one

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"latcpb_cli has no {name!r}")
        return getattr(import_module(f"latcpb_cli.{_MODULES[name]}"), name)
