#!/bin/sh
# Backmap the disordered example trajectory, then say where the results are.
set -eu
cd "$(dirname "$0")/.."
out=demo/4ebp2_all
mkdir -p demo
latcpb backmap examples/4ebp2.xtc --top examples/4ebp2.pdb -o "$out.xtc" --overwrite

for result in "$out.xtc" "$out.top.pdb" "$out.report.json" "$out.report.csv"; do
    test -s "$result" || { echo "demo: $result was not written" >&2; exit 1; }
done
cat <<END

all-atom trajectory   $out.xtc
its topology          $out.top.pdb
clash report          $out.report.json
the same, per residue $out.report.csv
END
