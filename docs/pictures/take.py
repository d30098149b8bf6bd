"""Take the tutorial's pictures of the page of `weldbench serve`, with the Chromium of this machine.

Its arguments: address of the server, a frame of a defective weld, a folder of frames, and where to write the pictures.
"""

import io
import re
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DROP = """([name, levels]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(levels)], name, { type: "image/png" }));
  return transfer;
}"""


def take(browser: Browser, url: str, dropped: Path, film: list[Path], folder: Path) -> None:
    """Drop a frame on the page, then choose a film; write page.png, defect.png and film.png.

    Args:
        browser: Of playwright.
        url: Of the running server.
        dropped: Of a defective weld.
        film: Frames in filming order.
        folder: Where to.
    """
    page = browser.new_page(viewport={"width": 1000, "height": 400}, color_scheme="light")
    page.set_default_timeout(120_000)
    page.goto(url)
    expect(page.locator("#model")).to_contain_text("Model ", timeout=120_000)
    save(page, folder / "page.png")
    given = page.evaluate_handle(DROP, [dropped.name, list(dropped.read_bytes())])
    page.dispatch_event("body", "drop", {"dataTransfer": given})
    expect(page.locator("#decision")).to_contain_text("Defect", timeout=120_000)
    expect(page.locator("#frame")).to_have_attribute("aria-label", re.compile("with the heat map over it"))
    save(page, folder / "defect.png")
    page.locator("#clear").click()
    page.set_input_files("#files", film)
    expect(page.locator("#strip li")).to_have_count(len(film), timeout=120_000)
    save(page, folder / "film.png")
    page.close()


def save(page: Page, path: Path) -> None:
    """Save the whole page in 128 colors, which take a third of the bytes."""
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    picture.quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    address, dropped, film, output = sys.argv[1:]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        take(opened, address, Path(dropped), sorted(Path(film).glob("*.png")), Path(output))
        opened.close()
