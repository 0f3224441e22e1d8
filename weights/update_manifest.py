"""Write the sha256 of the models in weights/ into the package.

    python weights/update_manifest.py [--default NAME] [--revision COMMIT]

Run it after a model is added, changed or published; see weights/README.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from latcpb_cli.weights import MANIFEST_FILE, MODEL_FILE, load_manifest, write_checksums

HERE = Path(__file__).parent


def main() -> None:
    manifest = load_manifest()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--default", default=manifest.default, help="model that is used by default")
    parser.add_argument("--revision", default=manifest.revision, help="Hub revision that holds these weights")
    options = parser.parse_args()

    models = {path.parent.name: write_checksums(path.parent) for path in sorted(HERE.glob(f"*/{MODEL_FILE}"))}
    if models and options.default not in models:
        parser.error(f"the default model {options.default} is not among {', '.join(models)}")
    updated = {"default": options.default, "revision": options.revision, "models": models}
    MANIFEST_FILE.write_text(json.dumps(updated, indent=2) + "\n", encoding="utf-8")
    print(f"{MANIFEST_FILE}: {', '.join(models) or 'no models'}; default {options.default}")


if __name__ == "__main__":
    main()
