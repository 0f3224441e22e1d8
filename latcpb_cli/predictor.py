"""The network of a set of weights: the paper's model, and the heads that go beyond it."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latcpb_cli.backbone.given_backbone import put_on_backbone
from latcpb_cli.backbone.peptide_rotations import PeptideRotations
from latcpb_cli.backbone.relaxed_peptides import turn_to_relaxed
from latcpb_cli.backbone.template_peptides import turn_to_template
from latcpb_cli.chem.rotamers import N_ROTAMERS
from latcpb_cli.choices import Part
from latcpb_cli.com_beads.encoder import BeadEncoder
from latcpb_cli.com_beads.observed import ObservedBeads
from latcpb_cli.confidence.prediction import Prediction
from latcpb_cli.config import ModelConfig, from_json
from latcpb_cli.model.cg_encoder import Condition
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.model.graph import Graph
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.model.linear import use_onednn
from latcpb_cli.sidechains.chain_ends import turn_chain_ends
from latcpb_cli.sidechains.packing import Packing
from latcpb_cli.sidechains.rescoring import Rescoring
from latcpb_cli.sidechains.selection import (
    SideChainHeads,
    SideChainInputs,
    choose_side_chains,
    rotamer_probabilities,
)
from latcpb_cli.tensor_file import check_tensors, limited_parameters, read_tensors

__all__ = ["Predictor"]

_NO_INPUTS = SideChainInputs()


class Predictor(nn.Module):
    """The paper's model with the heads of a set of weights: conditions and latents to atoms.

    Parameters
    ----------
    config : ModelConfig

    Attributes
    ----------
    latcpb : LatCPB
        The paper's model.
    peptide_rotations : PeptideRotations or None
        Rotations of peptides of least expected error, for best mode.
    packing : Packing or None
        Rotamer probabilities in the mean field of all side chains.
    rescoring : Rescoring or None
        A correction of these probabilities; None where the configuration leaves it out.
    bead_encoder : BeadEncoder or None
        Cα from beads at centres of mass; None where the weights have none.

    The first three heads are None where the decoder predicts Cartesian positions.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.latcpb = LatCPB(config)
        self.peptide_rotations = None if config.cartesian else PeptideRotations(config)
        self.packing = None if config.cartesian else Packing(config)
        self.rescoring = Rescoring(config) if config.rescoring and not config.cartesian else None
        self.bead_encoder = BeadEncoder() if config.com_beads else None

    @classmethod
    def load(cls, config: Path, weights: Path, device: torch.device | str = "cpu") -> Predictor:
        """Load trained weights for inference.

        Parameters
        ----------
        config, weights
            The JSON file and the safetensors file of the weights.
        device
            Device of the parameters.

        Raises
        ------
        WeightsError
            The files are damaged, or do not fit each other or this version.
        """
        settings, tensors = from_json(ModelConfig, config), read_tensors(weights)
        with limited_parameters(sum(tensor.numel() for tensor in tensors.values()), weights):
            predictor = cls(settings)
        check_tensors(tensors, predictor.state_dict(), weights)
        predictor.load_state_dict(tensors)
        use_onednn(predictor)
        return predictor.to(device).eval().requires_grad_(False)

    def build_atoms(
        self,
        latent: Float[Tensor, "L D"],
        condition: Condition,
        graph: Graph,
        inputs: SideChainInputs,
        without: Container[Part] = (),
        backbone: Float[Tensor, "L 4 3"] | None = None,
    ) -> Decoded:
        """Decode latents into atoms, with side chains packed against each other.

        Parameters
        ----------
        latent
            Latents in (0, 1).
        condition, graph
            Z^C, and the neighbourhoods.
        inputs
            With noise, the side chains are a sample; without it, side chains and peptides are those of
            least expected error.
        without
            Parts that are left out. Without packing, each side chain has the most probable rotamer of the
            decoder, and there is no rescoring. Without all heads, the atoms are the output of the paper's
            decoder.
        backbone
            Atoms of the input in `GIVEN_SLOTS`, which are kept; see `put_on_backbone`.
        """
        peptides = inputs.noise is None and "peptides" not in without
        heads = self._side_chain_heads(without)
        decoded = self._decode(
            (latent, condition, graph), inputs, backbone, peptides, side_chains=heads is None
        )
        if heads is None:
            return decoded
        if backbone is None:
            decoded = _turn_chain_ends(decoded, condition, graph, heads, inputs.beads)
        return choose_side_chains(decoded, condition, graph, heads, inputs)

    def rotamer_probabilities(
        self,
        encoded: tuple[Float[Tensor, "L D"], Condition, Graph],
        without: Container[Part] = (),
        backbone: Float[Tensor, "L 4 3"] | None = None,
        inputs: SideChainInputs = _NO_INPUTS,
    ) -> Float[Tensor, "L R"]:
        """Return the probability of every rotamer in best mode; zeros without packing.

        Parameters
        ----------
        encoded
            Latents in (0, 1), Z^C, and the neighbourhoods.
        without, backbone
            As in `build_atoms`.
        inputs
            Beads, templates and relaxed peptides, if there are any.
        """
        latent, condition, graph = encoded
        heads = self._side_chain_heads(without)
        if heads is None:
            return latent.new_zeros(len(latent), N_ROTAMERS)
        peptides = "peptides" not in without
        decoded = self._decode(encoded, inputs, backbone, peptides, side_chains=False)
        if backbone is None:
            decoded = _turn_chain_ends(decoded, condition, graph, heads, inputs.beads)
        return rotamer_probabilities(decoded, condition, graph, heads, inputs)

    def prediction(
        self, decoded: Decoded, expected: Decoded | None, condition: Condition, graph: Graph
    ) -> Prediction:
        """Return what is predicted of structures that `build_atoms` returned, packed.

        Parameters
        ----------
        decoded
            The structures.
        expected
            Structures of the expected latents, where ``decoded`` are samples.
        condition, graph
            As in `build_atoms`.

        Raises
        ------
        ValueError
            The decoder predicts positions.
        """
        if self.packing is None:
            raise ValueError("a decoder of positions has no rotamers")
        return Prediction.from_decoded(decoded, expected, self.packing.chi_std(condition, graph.types))

    def _side_chain_heads(self, without: Container[Part]) -> SideChainHeads | None:
        """Packing and rescoring, as far as they exist and are not left out."""
        if self.packing is None or "packing" in without:
            return None
        rescoring = None if "rescoring" in without else self.rescoring
        return SideChainHeads(self.packing, rescoring, self.config.max_candidates)

    def _decode(
        self,
        encoded: tuple[Float[Tensor, "L D"], Condition, Graph],
        inputs: SideChainInputs,
        backbone: Float[Tensor, "L 4 3"] | None,
        peptides: bool,
        *,
        side_chains: bool,
    ) -> Decoded:
        """Run the decoder on latents, condition and neighbourhoods, and put its atoms on a better backbone.

        That is the backbone given, else, where ``peptides`` is true and there is a head for it, the decoder's
        with its peptides rotated; these turn further to those of a relaxed trace, and of a template.
        """
        condition, graph = encoded[1:]
        decoded: Decoded = self.latcpb.decoder(*encoded, side_chains=side_chains)
        if backbone is not None:
            return put_on_backbone(decoded, backbone, graph, side_chains=side_chains)
        if self.peptide_rotations is not None and peptides:
            decoded = self.peptide_rotations.rotate_peptides(
                decoded, condition, graph, side_chains=side_chains
            )
            if inputs.peptides is not None:
                decoded = turn_to_relaxed(decoded, graph, inputs.peptides, side_chains=side_chains)
        if inputs.template is None:
            return decoded
        return turn_to_template(decoded, graph, inputs.template)


def _turn_chain_ends(
    decoded: Decoded, condition: Condition, graph: Graph, heads: SideChainHeads, beads: ObservedBeads | None
) -> Decoded:
    """Turn the ends of chains to their beads, where there are any."""
    if beads is None:
        return decoded
    return turn_chain_ends(decoded, graph, beads, heads.packing.chi_std(condition, graph.types))
