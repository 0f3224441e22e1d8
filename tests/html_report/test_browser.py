"""The page in a browser: everything is drawn, nothing is loaded, mouse and keys work."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from latcpb_cli.evaluation.evaluate import MethodInput, evaluate, from_memory
from latcpb_cli.html_report import evaluation_data
from latcpb_cli.html_report.evaluation_page import evaluation_page

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
"""A 3D view without a graphics card."""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def opened(browser, evaluation, path):
    """The report of an evaluation, open, with its 3D view; no error and no request may happen meanwhile."""
    path.write_text(evaluation_page(evaluation).html(), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    requests, errors = [], []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.goto(path.as_uri())
    wait_for(tab, "latcpbReport.viewer?.slow !== undefined")
    yield tab
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    tab.close()


@pytest.fixture
def tab(browser, evaluation, tmp_path):
    with opened(browser, evaluation, tmp_path / "report.html") as tab:
        yield tab


def wait_for(tab, expression, seconds=60):
    """Wait until an expression is true; the policy of the page forbids the waiting of Playwright."""
    end = time.monotonic() + seconds
    while not tab.evaluate(f"Boolean({expression})"):
        assert time.monotonic() < end, expression
        time.sleep(0.05)


def view(tab):
    return tab.evaluate("latcpbReport.viewer.getView()")


COLORS = """() => {
  const source = document.querySelector("canvas"), copy = document.createElement("canvas");
  [copy.width, copy.height] = [200, 150];
  const context = copy.getContext("2d");
  context.drawImage(source, 0, 0, 200, 150);
  const pixels = new Uint32Array(context.getImageData(0, 0, 200, 150).data.buffer);
  return new Set(pixels).size;
}"""


def test_plots_and_view_are_drawn(tab):
    assert tab.evaluate(COLORS) > 50
    for section in ("along", "frames", "torsions", "ramachandran", "rotamers", "overlaps"):
        tab.locator(f"#{section}").scroll_into_view_if_needed()
        plots = tab.locator(f"#{section} .plot")
        for number in range(plots.count()):
            plots.nth(number).locator("svg path, svg circle").first.wait_for(state="attached")
    assert tab.locator("#torsions svg").count() == 6
    assert tab.locator("#ramachandran svg").count() == 4


def test_a_residue_of_the_table_turns_the_view(tab):
    before = view(tab)
    first = tab.locator("#residues tbody button").first
    assert first.inner_text() == "A:PHE12"
    first.click()
    wait_for(tab, "latcpbReport.viewer.moving === null")
    after = view(tab)
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) > 1
    assert after[3] < before[3]
    assert tab.locator("#frame-number").inner_text() == "1"
    assert tab.locator(".view-label").inner_text().startswith("A:PHE12")


def test_a_plot_turns_the_view(tab):
    before = view(tab)
    tab.locator("#along").scroll_into_view_if_needed()
    tab.locator("#along .plot svg").first.click(position={"x": 300, "y": 60})
    wait_for(tab, "latcpbReport.viewer.moving === null")
    assert view(tab) != before


def test_another_method_has_its_own_figures(tab):
    shown = tab.locator(".tiles:visible dd").first
    before = shown.inner_text()
    tab.get_by_label("same").check()
    assert shown.inner_text() != before
    assert shown.inner_text().startswith("0.00")


def test_all_is_within_reach_of_the_keyboard(tab):
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(80):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("document.activeElement.name || document.activeElement.tagName"))
        if tab.evaluate("document.activeElement.closest('#along') !== null"):
            break
    assert {"A", "method", "CANVAS", "color", "sticks", "frame", "reset", "BUTTON"} <= reached
    before = view(tab)
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    wait_for(tab, "latcpbReport.viewer.moving === null")
    assert view(tab) != before
    assert tab.evaluate("document.activeElement.ariaValueText") == "A:LYS2"


def test_keys_turn_the_view(tab):
    tab.locator("canvas").focus()
    before = view(tab)
    tab.keyboard.press("ArrowLeft")
    turned = view(tab)
    assert turned[4:] != before[4:] and turned[:4] == before[:4]
    tab.keyboard.press("+")
    assert view(tab)[3] < before[3]


def test_columns_of_the_table_sort(tab):
    button = tab.locator("#residues thead button").nth(1)
    button.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#residues thead th").nth(2).get_attribute("aria-sort") == "descending"
    tab.keyboard.press("Enter")
    assert tab.locator("#residues thead th").nth(2).get_attribute("aria-sort") == "ascending"


def test_a_narrow_screen_does_not_scroll_sideways(tab):
    tab.set_viewport_size({"width": 380, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 380


def test_it_prints(tab):
    assert len(tab.pdf(format="A4")) > 20_000


def test_structures_of_folders_are_chosen(browser, native, tmp_path, monkeypatch):
    # Room for the first structure only.
    monkeypatch.setattr(evaluation_data, "_COORDINATE_BYTES", 1200)
    parts = [replace(from_memory(native, name), name=name) for name in ("first", "second")]
    evaluation = evaluate(None, [MethodInput("folder", tuple(parts))])
    with opened(browser, evaluation, tmp_path / "report.html") as tab:
        assert not tab.locator(".view-message").is_visible()
        tab.get_by_role("button", name="Show second").click()
        assert tab.locator("#structures select").input_value() == "1"
        assert "no room" in tab.locator(".view-message").inner_text()
        tab.locator("#residues tbody button").first.click()
        tab.locator("#structures select").select_option("0")
        assert tab.locator("canvas").is_visible()
