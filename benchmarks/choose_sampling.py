"""Choose how the two modes draw latents, on chains held out of training.

    python benchmarks/choose_sampling.py DATA --weights DIR [--chains 40]

One row per setting: accuracy, distance of the torsion distributions from the natives', speed.
"""

from __future__ import annotations

import time
from itertools import islice
from unittest.mock import patch

from arguments import measurement_parser
from chains import rebuild, reference_chains
from tables import Row

from latcpb_cli import backmapper
from latcpb_cli.backmapper import Backmapper
from latcpb_cli.diffusion.sampler import SamplerSettings
from latcpb_cli.options import Mode

CANDIDATES = [
    *(SamplerSettings(steps, 0.0) for steps in (1, 2, 4, 8)),
    *(SamplerSettings(steps, 0.5) for steps in (4, 8)),
    *(SamplerSettings(steps, 1.0) for steps in (4, 8, 12, 20)),
]


def main() -> None:
    parser = measurement_parser(__doc__, split="heldout")
    parser.add_argument("--chains", type=int, default=40)
    options = parser.parse_args()
    model = Backmapper.from_pretrained(options.weights, device="cpu")
    print(f"{'steps':>5s}{'temp.':>6s}{'all':>8s}{'bb':>8s}{'side':>8s}{'chi1':>7s}{'chi12':>7s}", end="")
    print(f"{'KL phi':>8s}{'KL psi':>8s}{'KL chi1':>8s}{'ov04':>7s}{'c12 %':>7s}{'Rama':>7s}{'res/s':>8s}")
    for sampling in CANDIDATES:
        row, seconds, residues = Row(), 0.0, 0
        mode: Mode = "ensemble" if sampling.temperature > 0 else "best"
        with patch.dict(backmapper.SETTINGS, {mode: sampling}):
            for _, reference, chunk in islice(reference_chains(options.data, options.split), options.chains):
                began = time.perf_counter()
                built = rebuild(model, reference, chunk, mode=mode)
                seconds += time.perf_counter() - began
                residues += len(reference.trace)
                row.add(reference, built)
        n = row.numbers()
        print(f"{sampling.steps:5d}{sampling.temperature:6.2f}", end="")
        print(f"{n['all_heavy']:8.3f}{n['backbone']:8.3f}{n['side_chain']:8.3f}{n['chi1']:7.1f}", end="")
        print(f"{n['chi1_chi2']:7.1f}{n['kl_phi']:8.3f}{n['kl_psi']:8.3f}{n['kl_chi1']:8.3f}", end="")
        print(f"{n['overlap04_per_1000']:7.1f}{n['contact12_percent']:7.2f}", end="")
        print(f"{n['ramachandran_favoured']:7.1f}{residues / seconds:8.0f}", flush=True)


if __name__ == "__main__":
    main()
