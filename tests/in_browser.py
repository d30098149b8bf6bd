"""Pages in the Chromium of this machine."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--enable-logging=stderr"]

# Runs in the page; what it finds stands in the title of the frame around it.
PROBE = """
<script>
addEventListener("load", () => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = color => {
    const [r, g, b] = color.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = element => {
    for (; element; element = element.parentElement) {
      const color = rgb(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const contrast = element => {
    const [a, b] = [rgb(getComputedStyle(element).color), background(element)].map(luminance).sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const hasText = element => [...element.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const texts = [...document.querySelectorAll("main *")].filter(hasText);
  const images = [...document.images];
  parent.document.title = "PROBE" + JSON.stringify({
    width: innerWidth,
    overflow: document.documentElement.scrollWidth - innerWidth,
    images: images.length,
    broken: images.filter(i => !i.complete || i.naturalWidth < 50).length,
    without_alt: images.filter(i => !i.alt || i.alt.length < 20).length,
    requests: performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith("data:")),
    contrast: Math.min(...texts.map(contrast)),
    smallest_px: Math.min(...texts.map(e => parseFloat(getComputedStyle(e).fontSize))),
    headings: [...document.querySelectorAll("h1, h2")].map(h => h.textContent),
  });
});
</script>
"""


def open_in_chromium(profile: Path, address: Path, *options: str) -> subprocess.CompletedProcess:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", *options, address.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


def probed(tmp_path: Path, page: Path, width: int) -> tuple[dict, str]:
    """Open the page in a frame, for no window of Chromium is narrower than 500 pixels."""
    content = page.read_text(encoding="utf-8").replace("</body>", PROBE + "</body>")
    frame = tmp_path / "frame.html"
    opening = f'<!DOCTYPE html><iframe style="border: 0; width: {width}px; height: 900px" srcdoc="'
    frame.write_text(f'{opening}{html.escape(content, quote=True)}"></iframe>', encoding="utf-8")
    opened = open_in_chromium(tmp_path / "profile", frame, "--window-size=1600,1000", "--dump-dom")
    return json.loads(html.unescape(re.search(r"<title>PROBE(.*?)</title>", opened.stdout)[1])), opened.stderr


@contextmanager
def opened_browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()
