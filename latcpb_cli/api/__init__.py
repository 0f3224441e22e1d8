"""The Python interface: anything that holds beads in, atoms in memory or in files out."""
