"""The command starts without torch's compiler and sympy, and leaves other code in the process as it was."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def test_compiler_and_sympy_are_neither_loaded_nor_replaced_afterwards() -> None:
    run(
        "import sys, torch\n"
        "original = torch.compiler.disable\n"
        "from latcpb_cli.cli.startup import import_e3nn_quickly\n"
        "import_e3nn_quickly()\n"
        "import latcpb_cli.backmapper\n"
        "assert not {'sympy', 'torch._dynamo'} & set(sys.modules)\n"
        "assert torch.compiler.disable is original\n"
        "import sympy\n"
        "assert sympy.sqrt(4) == 2\n"
    )


def test_e3nn_that_is_loaded_already_stays_as_it_is() -> None:
    run(
        "import sys\n"
        "import e3nn.o3\n"
        "before = set(sys.modules)\n"
        "from latcpb_cli.cli.startup import import_e3nn_quickly\n"
        "import_e3nn_quickly()\n"
        "assert not any(name.startswith('latcpb_cli.model') for name in set(sys.modules) - before)\n"
    )
