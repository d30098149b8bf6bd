"""The server's page in a real Chromium: what a person does with mouse, keyboard and files."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.serving import Server, serving
from deploy.tiny_export import BRIGHT, CLASSES, DARK, MIDDLE, PROMISE, STRANGE, png, save_tiny_export
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on this machine: apt-get install chromium"
)
TOKEN = "a token for the page"

# The smallest contrast of all visible texts to their grounds, by WCAG.
CONTRAST = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const luminance = color => {
    const [r, g, b] = color.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const color = rgb(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("body *")].filter(element => element.checkVisibility()
    && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  return Math.min(...texts.map(element => {
    const [a, b] = [rgb(getComputedStyle(element).color), ground(element)].map(luminance).sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(save_tiny_export(tmp_path_factory.mktemp("page") / "export")) as running:
        yield running


def opened(
    browser: Browser, server: Server, width: int = 1400, scheme: str = "light"
) -> tuple[Page, list[str], list[str]]:
    """Open the page; return it with the addresses that it asks and the errors that it meets."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.url)
    expect(page.locator("#model")).to_contain_text("Model tiny", timeout=60_000)
    return page, asked, errors


@pytest.fixture
def frames(tmp_path: Path) -> list[Path]:
    levels = {"1 good.png": MIDDLE, "2 dark.png": DARK, "=3 bright.png": BRIGHT}
    made = [png(tmp_path / name, level, seed=number) for number, (name, level) in enumerate(levels.items())]
    cut = tmp_path / "4 cut.png"
    cut.write_bytes(made[0].read_bytes()[:200])
    return [*made, cut]


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1400, "light"), (1400, "dark")])
def test_frames_are_shown_with_verdict_heat_map_and_film(
    browser: Browser, server: Server, frames: list[Path], width: int, scheme: str
) -> None:
    page, asked, errors = opened(browser, server, width, scheme)
    page.set_input_files("#files", frames)
    expect(page.locator("#strip li")).to_have_count(4, timeout=60_000)
    shown = page.locator("#strip button").all_inner_texts()
    assert [text.split("\n")[0] for text in shown] == ["Not judged", "Defect", "Defect", "Good"]
    expect(page.locator("#counts")).to_have_text("1 good, 2 defects, 1 not judged")
    page.locator("#strip button").nth(2).click()
    expect(page.locator("#decision")).to_contain_text("Defect")
    expect(page.locator("#class")).to_contain_text("burn through, 99 %")
    expect(page.locator("#probabilities li")).to_have_count(len(CLASSES))
    expect(page.locator("#frame")).to_have_attribute(
        "aria-label", "2 dark.png: Defect, burn through, with the heat map over it"
    )
    pixel = "() => [...document.getElementById('frame').getContext('2d').getImageData(60, 44, 1, 1).data]"
    red, _, blue, _ = page.evaluate(pixel)
    assert red > blue + 50
    page.locator("#heat").uncheck()
    expect(page.locator("#frame")).to_have_attribute("aria-label", "2 dark.png: Defect, burn through")
    red, _, blue, _ = page.evaluate(pixel)
    assert red == blue
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(CONTRAST) >= 4.5
    assert errors == []
    assert all(url.startswith((server.url, "data:", "blob:")) for url in asked)
    page.close()


def test_frames_can_be_dropped_on_the_page(browser: Browser, server: Server, frames: list[Path]) -> None:
    page, _, errors = opened(browser, server)
    dropped = page.evaluate_handle(
        """levels => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(levels)], "dropped.png", { type: "image/png" }));
          return transfer;
        }""",
        list(frames[1].read_bytes()),
    )
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    expect(page.locator("#decision")).to_contain_text("Defect", timeout=60_000)
    expect(page.locator("#name")).to_have_text("dropped.png")
    assert errors == []
    page.close()


def test_everything_can_be_done_with_the_keyboard(browser: Browser, server: Server, frames: list[Path]) -> None:
    page, _, _ = opened(browser, server)
    page.on("filechooser", lambda chooser: chooser.set_files(frames[:3]))
    page.keyboard.press("Tab")
    expect(page.locator("#choose")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#strip li")).to_have_count(3, timeout=60_000)
    focused = "() => document.activeElement.id || document.activeElement.textContent"
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(focused))
    assert reached[:3] == ["heat", "download", "clear"]
    assert "=3 bright.png" in reached[3]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#decision")).to_contain_text("Good")
    expect(page.locator("#name")).to_have_text("1 good.png")
    page.close()


def test_the_csv_has_every_frame_and_no_formula(browser: Browser, server: Server, frames: list[Path]) -> None:
    page, _, _ = opened(browser, server)
    page.set_input_files("#files", frames)
    expect(page.locator("#strip li")).to_have_count(4, timeout=60_000)
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "decisions.csv"
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["frame"] for row in rows] == ["1 good.png", "2 dark.png", "'=3 bright.png", "4 cut.png"]
    assert [row["decision"] for row in rows] == ["good", "defect", "defect", ""]
    for kind in ("p", "calibrated"):
        assert sum(float(rows[0][f"{kind}_{name}"]) for name in CLASSES) == pytest.approx(1)
    assert "damaged" in rows[3]["error"]
    page.locator("#clear").click()
    expect(page.locator("#film")).to_be_hidden()
    page.close()


def test_the_page_asks_for_a_token_where_the_server_does(browser: Browser, tmp_path: Path, frames: list[Path]) -> None:
    with serving(save_tiny_export(tmp_path / "export"), token=TOKEN) as running:
        page = browser.new_page()
        page.goto(running.url)
        page.get_by_label("This server asks for a token").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#model")).to_have_text("The server does not accept this token.")
        page.locator("#token").fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#model")).to_contain_text("Model tiny")
        page.set_input_files("#files", frames[:1])
        expect(page.locator("#decision")).to_contain_text("Good", timeout=60_000)
        page.close()


@pytest.mark.parametrize(
    ("good_class", "said", "decision"),
    [
        (None, "No class is a good weld, so every frame is a defect.", "Defect"),
        (CLASSES[0], "A frame is a defect when good weld is not its most probable class.", "Good"),
    ],
)
def test_the_page_of_an_export_without_a_threshold(
    browser: Browser, tmp_path: Path, frames: list[Path], good_class: str | None, said: str, decision: str
) -> None:
    with serving(save_tiny_export(tmp_path / "export", good_class, thresholds={})) as running:
        page, _, errors = opened(browser, running)
        expect(page.locator("#model")).to_contain_text(said)
        page.set_input_files("#files", frames[:1])
        expect(page.locator("#decision")).to_contain_text(decision, timeout=60_000)
        assert errors == []
        page.close()


def test_the_page_says_that_a_threshold_is_uncalibrated(browser: Browser, tmp_path: Path) -> None:
    for doubts, said in (
        ((), "that rejects about 1 % of good frames."),
        (("valid has one run",), "uncalibrated, as valid has one run: it may reject quite another share"),
    ):
        export = save_tiny_export(tmp_path / f"export{len(doubts)}", valid_doubts=doubts)
        with serving(export) as running:
            page, _, errors = opened(browser, running)
            expect(page.locator("#model")).to_contain_text(said)
            assert errors == []
            page.close()


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1400, "light"), (1400, "dark")])
def test_the_page_shows_unknown_frames_both_probabilities_and_the_promise(
    browser: Browser, tmp_path: Path, frames: list[Path], width: int, scheme: str
) -> None:
    strange = png(tmp_path / "strange.png", STRANGE, seed=9)
    with serving(save_tiny_export(tmp_path / "export", promises=(PROMISE,), novelty=True), "--promise") as running:
        page, _, errors = opened(browser, running, width, scheme)
        expect(page.locator("#model")).to_contain_text(
            "above 0.125000, as a promise asks. It is unknown when it is like"
        )
        page.locator("#promise summary").click()
        expect(page.locator("#promise-text")).to_contain_text(PROMISE.sentences)
        expect(page.locator("#promise-text")).to_contain_text("the promise is about the vote over 3 frames")
        expect(page.locator("#promise-conditions")).to_contain_text("The frames of a weld have to be sent as one batch")
        page.set_input_files("#files", [*frames, strange])
        expect(page.locator("#strip li")).to_have_count(5, timeout=60_000)
        expect(page.locator("#counts")).to_have_text("1 good, 2 defects, 1 unknown, 1 not judged")
        page.locator("#strip button", has_text="strange.png").click()
        expect(page.locator("#decision")).to_contain_text("Unknown")
        expect(page.locator("#decision")).to_have_class("unknown")
        expect(page.locator("#novelty")).to_contain_text("(unknown above 5.00)")
        shares = page.locator("#probabilities li").first.locator("span").all_inner_texts()
        raw, calibrated = (float(share.removesuffix(" %")) for share in shares)
        assert raw > calibrated > 50
        expect(page.locator("#columns")).to_have_text("of the networkcalibrated")
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
        assert page.evaluate(CONTRAST) >= 4.5
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        assert errors == []
        page.close()


def test_the_description_for_programs_opens_without_the_outside(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/docs")
    expect(page.get_by_text("/v1/predict/batch")).to_be_visible(timeout=60_000)
    assert all(url.startswith((server.url, "data:", "blob:")) for url in asked)
    page.close()
