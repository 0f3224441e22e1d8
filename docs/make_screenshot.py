"""Take the picture of a report for the guide.

    python docs/make_screenshot.py --out docs/images/report.png

Rebuilds examples/tnc_allatom.pdb with all parts and with the paper's model alone, evaluates both, and opens
the report. Needs playwright (extra `dev`) and Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
INPUT = ROOT / "examples" / "tnc_allatom.pdb"
METHODS = {"latcpb": [], "paper only": ["--without", "peptides,packing,rescoring,relief"]}
SIZE = {"width": 1280, "height": 1150}
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


def latcpb(*arguments: str | Path) -> None:
    """Run the command."""
    subprocess.run([sys.executable, "-m", "latcpb_cli", *map(str, arguments)], check=True, cwd=ROOT)


def make_report(folder: Path) -> Path:
    """Write the report of the example into a folder."""
    outputs = []
    for number, options in enumerate(METHODS.values()):
        outputs.append(folder / f"{number}.pdb")
        latcpb("backmap", INPUT, "-o", outputs[-1], *options)
    names = [part for name in METHODS for part in ("--name", name)]
    latcpb("evaluate", INPUT, *outputs, *names, "--report", folder / "report.html", "--quiet")
    return folder / "report.html"


def take(page: Page, report: Path, out: Path) -> None:
    """Take the part of the page with the 3D view and the plots below it."""
    page.goto(report.as_uri())
    page.wait_for_function("latcpbReport.viewer && latcpbReport.viewer.slow !== undefined")
    page.evaluate("latcpbReport.viewer.paint(2)")
    page.evaluate("document.querySelector('#structure').scrollIntoView()")
    page.wait_for_timeout(2000)
    page.evaluate("latcpbReport.viewer.paint(2)")
    page.screenshot(path=out)
    # A palette takes a third of the bytes; maximum coverage keeps rare colours.
    picture = Image.open(out).convert("RGB")
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE).save(
        out, optimize=True
    )


def main() -> None:
    """Read the arguments, and take the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = make_report(Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport=SIZE, bypass_csp=True, reduced_motion="reduce")
        take(page, report, out)
        browser.close()


if __name__ == "__main__":
    main()
