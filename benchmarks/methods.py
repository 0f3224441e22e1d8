"""The ways to all atoms that are compared: which program, on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exchange import backbone_text, read_back, trace_text
from programs import PEERS, ProgramError
from workers import Cost, Worker

from latcpb_cli.errors import LatcpbError
from latcpb_cli.structure import AtomStructure

__all__ = ["METHODS", "Built", "Method", "build"]


@dataclass(frozen=True)
class Method:
    """A column of the table.

    Attributes
    ----------
    name, label : str
        For the JSON file, for people.
    program : str or None
        The program that is run last; None for the natives as they are.
    on : str or None
        The method whose backbone it is given; None for the bare Cα.
    """

    name: str
    label: str
    program: str | None
    on: str | None = None

    @property
    def programs(self) -> set[str]:
        """Every program that takes part."""
        before = METHODS[self.on].programs if self.on else set()
        return before | ({self.program} if self.program else set())

    @property
    def peers(self) -> set[str]:
        """Those of them that are not ours."""
        return self.programs & set(PEERS)

    @property
    def slow(self) -> bool:
        """Whether one of them is a slow one."""
        return any(PEERS[name].slow for name in self.peers)


METHODS = {
    method.name: method
    for method in (
        Method("latcpb", "latcpb, best", "latcpb"),
        Method("latcpb-ensemble", "latcpb, ensemble", "latcpb-ensemble"),
        Method("latcpb+faspr", "latcpb + FASPR", "pyfaspr", on="latcpb"),
        Method("cgback", "CGBack", "cgback"),
        Method("cgback+faspr", "CGBack + FASPR", "pyfaspr", on="cgback"),
        Method("pulchra", "PULCHRA", "pypulchra"),
        Method("pulchra+faspr", "PULCHRA + FASPR", "pyfaspr", on="pulchra"),
        Method("pulchra-python", "PULCHRA, Python port", "pulchra"),
        Method("native+faspr", "FASPR on native backbone", "pyfaspr", on="native"),
        Method("native", "native", None),
    )
}


@dataclass(frozen=True)
class Built:
    """What a method made of a chain; ``costs`` are those of its programs, the last one last."""

    structure: AtomStructure
    costs: tuple[Cost, ...] = ()


def build(
    method: Method, reference: AtomStructure, worker: Callable[[str], Worker], known: dict[str, Built]
) -> Built:
    """Rebuild one chain.

    Parameters
    ----------
    method : Method
    reference : AtomStructure
        The native chain.
    worker : callable
        Gives the worker of a program.
    known : dict of str to Built
        What other methods made of this chain; what has to be built on the way is added.

    Raises
    ------
    ProgramError
        A program failed, or what it wrote is not this chain.
    """
    if method.name not in known:
        known[method.name] = _built(method, reference, worker, known)
    return known[method.name]


def _built(
    method: Method, reference: AtomStructure, worker: Callable[[str], Worker], known: dict[str, Built]
) -> Built:
    if method.program is None:
        return Built(reference)
    before, text = (), trace_text(reference)
    if method.on is not None:
        base = build(METHODS[method.on], reference, worker, known)
        before, text = base.costs, backbone_text(base.structure)
    path, cost = worker(method.program).run(text)
    try:
        return Built(read_back(path, reference), (*before, cost))
    except LatcpbError as error:
        raise ProgramError(error.message) from error
