"""The start of the command: imports without what it never uses, and settings of threads."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = ["start_help", "start_torch"]

_SPIN_COUNT = 5000
"""Rounds in which a thread without work looks for some before it sleeps, some tens of microseconds."""


def start_help() -> None:
    """Import the part of Typer that prints help.

    Notes
    -----
    It imports rich's renderers of Markdown and of tracebacks, which the help of latcpb has none of. Both are
    replaced during the import and restored before this function returns; Typer's module keeps the
    replacements.

    CPU time of ``latcpb --help`` on an AMD EPYC, least of nine runs in turns: 0.40 s by a plain import,
    0.35 s by this function.
    """
    with _stand_in("rich.markdown"), _stand_in("rich.traceback"):
        importlib.import_module("typer.rich_utils")


def start_torch() -> None:
    """Import torch, e3nn and what builds structures, unless e3nn is loaded already.

    Notes
    -----
    Threads that have no work sleep after a moment, unless the environment variable OMP_WAIT_POLICY is set.
    By default, OpenMP lets them spin, and on busy cores they then hold up the threads that work; where they
    sleep at once, each of many short operations waits until they are awake: a frame of 40,000 residues then
    took 25 s instead of 20 s on two idle cores (AMD EPYC, AVX-512). Memory comes in small pages: on a virtual
    machine, large ones (torch reads THP_MEM_ALLOC_ENABLE) made that frame 13 s instead of 11 s.

    Three parts of torch and e3nn are left out. torch imports `torch._meta_registrations`: rules for shapes of
    results, which its compiler and tensors on the device "meta" need. One function of e3nn is decorated
    with `torch.compiler.disable`, and the first use of this decorator loads all of torch's compiler. Another
    module of e3nn imports sympy, for spherical harmonics as functions of angles. All three are replaced while
    torch and e3nn are imported, and restored before this function returns. The modules of torch and e3nn keep
    the replacements. In a command that is harmless, because it compiles nothing, has no tensors on "meta" and
    evaluates no such harmonics; other code in a process that imports `latcpb_cli` may do so, and therefore
    gets a plain import.

    The garbage collector pauses during the imports. What they made is not searched later either: modules stay
    until the process ends.

    CPU time of a process on an AMD EPYC, least of five runs: ``import latcpb_cli.model.equivariant`` 4.8 s,
    by this function 2.1 s (0.8 s more with the compiler, 0.8 s with sympy, 0.7 s with the rules for shapes),
    of which the rest of torch takes 1.8 s. Of a whole run, garbage collection takes 0.4 s without the pause
    and 0.03 s with it.
    """
    if "e3nn" in sys.modules:
        return
    _set_environment()
    with _uncollected():
        with _stand_in("torch._meta_registrations"):
            compiler = importlib.import_module("torch").compiler
        with _replaced(compiler, "disable", _without_effect), _stand_in("sympy"):
            importlib.import_module("latcpb_cli.model.equivariant")
        importlib.import_module("latcpb_cli.run.chunk_job")


def _set_environment() -> None:
    """Set what OpenMP reads when it is loaded, as far as the user has not."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "passive"
        # libgomp lets this variable count more than the policy.
        os.environ.setdefault("GOMP_SPINCOUNT", str(_SPIN_COUNT))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the garbage collector in this context, and let it never search what exists at the end."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _without_effect(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Stand in for `torch.compiler.disable`, with or without arguments: return the function as it is."""
    return function if function is not None else lambda decorated: decorated


@contextmanager
def _replaced(module: ModuleType, name: str, value: Any) -> Iterator[None]:
    """Give an attribute of a module another value in this context."""
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


class _EmptyModule(ModuleType):
    """A module in which every name is None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


@contextmanager
def _stand_in(name: str) -> Iterator[None]:
    """Let imports of a module find an empty one in this context, unless the module is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = _EmptyModule(name)
    try:
        yield
    finally:
        del sys.modules[name]
