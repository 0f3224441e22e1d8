"""Choose how the modes sample latents, on chains held out of training.

    python benchmarks/choose_sampling.py DATA --weights DIR [--chains 40]

One row per setting: accuracy, divergence of the torsion distributions from the natives', speed.
"""

from __future__ import annotations

import time
from itertools import islice
from unittest.mock import patch

from arguments import measurement_parser
from chains import rebuild, reference_chains
from tables import Row

from latcpb_cli import loaded_model as loaded_model_module
from latcpb_cli.diffusion.sampler import SamplerSettings
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions

CANDIDATES = [
    *(SamplerSettings(steps, 0.0) for steps in (1, 2, 4, 8)),
    *(SamplerSettings(steps, 0.5) for steps in (4, 8)),
    *(SamplerSettings(steps, 1.0) for steps in (4, 8, 12, 20)),
]
COLUMNS = {
    "all_heavy": ("all", 8, 3),
    "backbone": ("bb", 8, 3),
    "side_chain": ("side", 8, 3),
    "chi1": ("chi1", 7, 1),
    "chi1_chi2": ("chi12", 7, 1),
    "kl_phi": ("KL phi", 8, 3),
    "kl_psi": ("KL psi", 8, 3),
    "kl_chi1": ("KL chi1", 8, 3),
    "overlap04_per_1000": ("ov04", 7, 1),
    "contact12_percent": ("c12 %", 7, 2),
    "ramachandran_favoured": ("Rama", 7, 1),
}
"""Header, width and digits of each figure."""


def main() -> None:
    parser = measurement_parser(__doc__, default="heldout")
    parser.add_argument("--chains", type=int, default=40)
    options = parser.parse_args()
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    headers = "".join(f"{header:>{width}s}" for header, width, _ in COLUMNS.values())
    print(f"{'steps':>5s}{'temp.':>6s}{headers}{'res/s':>8s}")
    for sampling in CANDIDATES:
        row, seconds, residues = Row(), 0.0, 0
        choice = BackmapOptions(mode="ensemble" if sampling.temperature > 0 else "best")
        with patch.dict(loaded_model_module.SAMPLER_SETTINGS, {choice.mode: sampling}):
            for _, reference, chunk in islice(reference_chains(options.data, options.set), options.chains):
                started = time.perf_counter()
                built = rebuild(backmapper, reference, chunk, choice)
                seconds += time.perf_counter() - started
                residues += len(reference.trace)
                row.add(reference, built)
        figures = row.figures()
        cells = "".join(f"{figures[name]:{width}.{digits}f}" for name, (_, width, digits) in COLUMNS.items())
        print(f"{sampling.steps:5d}{sampling.temperature:6.2f}{cells}{residues / seconds:8.0f}", flush=True)


if __name__ == "__main__":
    main()
