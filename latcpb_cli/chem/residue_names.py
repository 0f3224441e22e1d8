"""Residue names of input files: amino acids under other names, modified residues, everything else."""

from __future__ import annotations

from latcpb_cli.chem.modified import modified_residue, parent_name
from latcpb_cli.chem.naming import VARIANT_ALIASES
from latcpb_cli.chem.residues import ALIASES

__all__ = [
    "D_RESIDUES", "NOT_PROTEIN", "PARENTS", "UNSPECIFIC", "is_modified", "standard_name", "variant_name",
]  # fmt: skip

PARENTS: dict[str, str] = {
    "TYS": "TYR", "HYP": "PRO", "MLY": "LYS", "MLZ": "LYS", "M3L": "LYS", "ALY": "LYS", "KCX": "LYS",
    "LLP": "LYS", "PYL": "LYS", "ORN": "LYS", "CSO": "CYS", "CME": "CYS", "CSD": "CYS", "OCS": "CYS",
    "CSX": "CYS", "SEC": "CYS", "PCA": "GLN", "CGU": "GLU", "FME": "MET", "AGM": "ARG", "CIR": "ARG",
    "HIC": "HIS", "MEN": "ASN", "AIB": "ALA", "NLE": "LEU",
}  # fmt: skip
"""Modified residues whose extra atoms are not built, and the amino acid that each derives from."""

D_RESIDUES = frozenset(
    "DAL DAR DSG DAS DCY DGN DGL DHI DIL DLE DLY MED DPN DPR DSN DTH DTR DTY DVA DIV".split()
)
"""D amino acids of the wwPDB chemical components; latcpb builds L amino acids only."""
UNSPECIFIC = frozenset("NGP IGL IPR UNK UNX XAA ASX GLX RES AA PRT BEA BEAD MOL X Z".split())
"""Names that leave the amino acid open: those of AWSEM (NGP: neither Gly nor Pro, ...) and placeholders."""

_WATER = "HOH SOL WAT TIP TIP3 TIP4 TIP5 TP3 TP4 SPC SPCE T3P T4P H2O DOD PW WN WF"
_IONS = (
    "CA NA NA+ SOD CL CL- CLA K+ POT MG MG2+ MG2 CAL CA2+ CA2 ZN ZN2 ZN2+ ION CES CS RB LI LIT BAR BA MN "
    "FE FE2 FE3 CU CU1 NI CO CD HG BR IOD SO4 PO4 NO3 ACT"
)
_LIPIDS = (
    "DPPC DPPE DPPG DPPS DPP POPC POPE POPG POPS POPA POP DOPC DOPE DOPG DOPS DOP DMPC DMPE DMPG DLPC DLPE "
    "DSPC DSPE DAPC DUPC DIPC DFPC PAPC PIPC SDPC CHOL CHL1 CLR ERG POPI PIP2 SAPI PSM DPSM SM CDL1 CDL2 CDL "
    "TOCL LPC OLE STE PAL DDM LMT"
)
_NUCLEIC = "DA DC DG DT DU DI RA RC RG RU ADE CYT GUA THY URA DA5 DA3 DC5 DC3 DG5 DG3 DT5 DT3 RA5 RU5 U PSU"
_OTHERS = (
    "ACE NME NMA NH2 NHE FOR GOL EDO PEG PEO MPD DMS EOH IPA BME TRS MES EPE NAG NDG BMA MAN GLC GAL FUC SIA "
    "BGC HEM HEC HEME ATP ADP AMP GTP GDP GNP NAD NAP FAD FMN COA SAM UNL LIG UNK_LIG DUM"
)
NOT_PROTEIN = frozenset(" ".join((_WATER, _IONS, _LIPIDS, _NUCLEIC, _OTHERS)).split())
"""Names that are never an amino acid: water, ions, lipids, nucleotides, caps, sugars, ligands."""


def standard_name(name: str) -> str | None:
    """Return the three-letter name of the amino acid that a residue name means, None for anything else.

    The name of a variant (SEP, HID, ...) means its parent.
    """
    for form in _lookup_forms(name):
        if form in ALIASES:
            return ALIASES[form]
        if form in VARIANT_ALIASES:
            return parent_name(VARIANT_ALIASES[form])
    return None


def variant_name(name: str) -> str:
    """Return the variant of an amino acid that a name means (SEP, HID, ...), "" for none in particular."""
    return next((VARIANT_ALIASES[form] for form in _lookup_forms(name) if form in VARIANT_ALIASES), "")


def is_modified(name: str) -> bool:
    """Return whether a residue name means a modified residue, whether or not its extra atoms are built."""
    name = name.upper()
    return name == "MSE" or name in PARENTS or modified_residue(variant_name(name)) is not None


def _lookup_forms(name: str) -> list[str]:
    """Forms of a name to look up: the name itself, then without the N or C of Amber's chain ends."""
    name = name.upper().rstrip("+-")
    ends = len(name) == 4 and name[0] in "NC"
    return [name, name[1:]] if ends else [name]
