"""latcpb: all atoms back from a coarse-grained Cα trajectory."""

__version__ = "0.1.0"
