"""Scale the two parts of the packing's energy on held-out chains, where the decoder is less certain.

    python benchmarks/calibrate_packing.py DATA --weights DIR [--chains 40]
    python benchmarks/calibrate_packing.py DATA --weights DIR --out DIR --decoder-weight 0.87 \
        --contact-energy 1.15

The first prints one row per pair of factors, without relief; the second copies the weights, scaled by the
factors given (`weights/update_manifest.py` then updates their sha256).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import torch
from arguments import measurement_parser
from chains import Reference, generated_structure, reference_chains
from safetensors.torch import load_file, save_file
from tables import Row

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.sidechains.selection import SideChainHeads, SideChainInputs, choose_side_chains
from latcpb_cli.structure import AtomStructure
from latcpb_cli.weights import MODEL_FILE

DECODER_FACTORS, ENERGY_FACTORS = (0.75, 0.87, 1.0), (1.0, 1.15, 1.3)
PARAMETERS = "packing.decoder_weight", "packing.contact_energy"


@dataclass(frozen=True, eq=False)
class Backbone:
    """A native chain, and its backbone in best mode with the rotamers of the decoder."""

    reference: AtomStructure
    graph: Graph
    condition: Condition
    decoded: Decoded


@torch.no_grad()
def main() -> None:
    parser = measurement_parser(__doc__, default="heldout")
    parser.add_argument("--chains", type=int, default=40)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--decoder-weight", type=float, default=1.0)
    parser.add_argument("--contact-energy", type=float, default=1.0)
    options = parser.parse_args()
    if options.out is not None:
        factors = options.decoder_weight, options.contact_energy
        write_scaled(Path(options.weights), options.out, factors)
        return
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    packing = backmapper.predictor.packing
    assert packing is not None  # or there is nothing to scale
    heads = SideChainHeads(packing, backmapper.predictor.rescoring)
    references = islice(reference_chains(options.data, options.set), options.chains)
    backbones = [build_backbone(backmapper, reference) for reference in references]
    parameters = packing.decoder_weight, packing.contact_energy
    unscaled = [parameter.clone() for parameter in parameters]
    print(f"{'decoder':>8s}{'energy':>8s}{'all':>8s}{'side':>8s}{'chi1':>7s}{'chi12':>7s}")
    for factors in product(DECODER_FACTORS, ENERGY_FACTORS):
        for parameter, value, factor in zip(parameters, unscaled, factors, strict=True):
            parameter.copy_(value * factor)
        n = measure(backbones, heads).figures()
        print(f"{factors[0]:8.2f}{factors[1]:8.2f}{n['all_heavy']:8.4f}{n['side_chain']:8.4f}", end="")
        print(f"{n['chi1']:7.1f}{n['chi1_chi2']:7.1f}", flush=True)


def build_backbone(backmapper: LoadedModel, reference: Reference) -> Backbone:
    """Decode the latents of best mode and rotate the peptides."""
    structure, native, _ = reference
    predictor = backmapper.predictor
    ca, types, linked = (
        torch.from_numpy(array) for array in (structure.atoms[:, CA_SLOT], structure.types, structure.linked)
    )
    graph = predictor.latcpb.build_graph(ca, types, linked, [len(types)])
    condition = predictor.latcpb.cg_encoder(graph)
    latent = predictor.latcpb.expected_latent(condition, graph, backmapper.schedule)
    decoded = predictor.latcpb.decoder(latent, condition, graph)
    assert predictor.peptide_rotations is not None
    decoded = predictor.peptide_rotations.rotate_peptides(decoded, condition, graph, side_chains=True)
    return Backbone(native, graph, condition, decoded)


def measure(backbones: list[Backbone], heads: SideChainHeads) -> Row:
    """Pack side chains on the backbones and compare them with the native ones."""
    row = Row()
    for backbone in backbones:
        parts = backbone.decoded, backbone.condition, backbone.graph
        atoms = choose_side_chains(*parts, heads, SideChainInputs()).atoms.numpy()[None]
        row.add(backbone.reference, generated_structure(backbone.reference, atoms))
    return row


def write_scaled(weights: Path, out: Path, factors: tuple[float, float]) -> None:
    """Copy weights with scaled parameters."""
    shutil.copytree(weights, out, dirs_exist_ok=True)
    tensors = load_file(out / MODEL_FILE)
    for name, factor in zip(PARAMETERS, factors, strict=True):
        tensors[name] = (tensors[name].float() * factor).to(tensors[name].dtype)
    save_file(tensors, out / MODEL_FILE)


if __name__ == "__main__":
    main()
