"""What an import leaves behind in the process of other code."""

from __future__ import annotations

import json
import subprocess
import sys

IMPORTS = """
import json, sys
import torch
before = {name: id(value) for name, value in vars(torch.compiler).items()}
modules = {name: id(module) for name, module in sys.modules.items()}
%s
after = {name: id(value) for name, value in vars(torch.compiler).items()}
changed = [name for name in before if after.get(name) != before[name]]
replaced = [name for name in modules if id(sys.modules.get(name)) != modules[name]]
added = {name: module for name, module in sys.modules.items() if name not in modules}
bare = [
    name
    for name, module in added.items()
    if getattr(module, "__spec__", None) is None and not name.startswith(("_cython_", "cython_"))
]
print(json.dumps({"changed": changed, "replaced": replaced, "bare": bare, "sympy": "sympy" in added}))
"""


def changes(statements: str) -> dict[str, object]:
    """What some statements change in ``torch.compiler`` and ``sys.modules`` of a new process.

    Left out are the modules that all extension modules of one version of Cython share.
    """
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS % statements], capture_output=True, text=True, check=True, timeout=240
    )
    return json.loads(done.stdout)


def test_importing_the_package_changes_nothing_of_other_libraries():
    """The libraries that it needs do without it what they do with it."""
    expected = changes("import e3nn.o3, e3nn.nn")
    imported = changes("import latcpb_cli.loaded_model")
    assert imported["changed"] == imported["replaced"] == []
    assert set(imported["bare"]) <= set(expected["bare"])
    assert imported["sympy"]


def test_the_quick_import_of_the_command_restores_what_it_replaces():
    quick = changes("from latcpb_cli.cli.startup import import_e3nn_quickly; import_e3nn_quickly()")
    assert quick["changed"] == quick["replaced"] == []
    assert not quick["sympy"]
    afterwards = (
        "from latcpb_cli.cli.startup import import_e3nn_quickly; import_e3nn_quickly()\n"
        "import sympy; assert sympy.sqrt(4) == 2\n"
        "assert torch.compiler.disable(abs)(-1) == 1"
    )
    assert changes(afterwards)["sympy"]
