"""The page of a review in a real Chromium: deciding by keyboard and by mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.test_serve_page import CHROMIUM, CONTRAST
from playwright.sync_api import Browser, Page, expect, sync_playwright
from review.reviewing import Reviewing, reviewing, write_project

from weldbench.splitting.corrections import read_corrections

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium on this machine: apt-get install chromium"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")


@pytest.fixture
def server(project: Path) -> Iterator[Reviewing]:
    with reviewing(project) as running:
        yield running


def opened(browser: Browser, server: Reviewing, width: int = 1400, scheme: str = "light") -> tuple[Page, list, list]:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(server.url)
    expect(page.locator("#title")).to_contain_text("of 3")
    return page, asked, errors


def decided(project: Path) -> list[tuple[str, str]]:
    path = project / "corrections/blobs.csv"
    return [(each.action, each.corrected) for each in read_corrections(path)] if path.exists() else []


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (1400, "light"), (400, "dark"), (1400, "dark")])
def test_the_page_is_readable_and_asks_nobody_else(
    browser: Browser, server: Reviewing, width: int, scheme: str
) -> None:
    page, asked, errors = opened(browser, server, width, scheme)
    expect(page.locator("#label")).to_have_text("good weld")
    expect(page.locator("#suggested")).to_have_text("burn through (probably right, score 0.80)")
    expect(page.locator("#strip li")).to_have_count(4)
    assert page.evaluate("() => document.getElementById('frame').decode().then(() => true)")
    assert page.evaluate(CONTRAST) >= 4.5
    page.keyboard.press("k")
    page.keyboard.press("p")
    expect(page.locator("#decision")).to_have_text("Decided: label kept.")
    assert page.evaluate(CONTRAST) >= 4.5
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(page.locator("#message")).to_contain_text("There is nothing to undo")
    assert page.evaluate(CONTRAST) >= 4.5
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert errors == []
    assert all(url.startswith((server.url, "data:")) for url in asked)
    page.close()


def test_a_whole_review_by_keyboard(browser: Browser, server: Reviewing, project: Path) -> None:
    page, _, errors = opened(browser, server)
    expect(page.locator("#title")).to_have_text("Stretch 1 of 3")
    # The decision concerns the second and third frame of four.
    for key in ("ArrowLeft", "[", "ArrowRight", "]"):
        page.keyboard.press(key)
    expect(page.locator("#strip button.concerned")).to_have_count(2)
    page.keyboard.press("s")
    expect(page.locator("#title")).to_have_text("Stretch 2 of 3")
    right = ("correct", "burn_through")
    assert decided(project) == [("keep", "good_weld"), right, right, ("keep", "good_weld")]
    page.keyboard.press("d")
    expect(page.locator("#title")).to_have_text("Stretch 3 of 3")
    assert decided(project)[4:] == [("drop", "")] * 3
    page.keyboard.press("u")
    expect(page.locator("#title")).to_have_text("Stretch 2 of 3")
    expect(page.locator("#decision")).to_have_text("Not decided yet.")
    assert decided(project)[4:] == []
    page.keyboard.press("k")
    expect(page.locator("#title")).to_have_text("Stretch 3 of 3")
    page.keyboard.press("2")
    expect(page.locator("#progress")).to_have_text("All 3 stretches are decided. You can close this page.")
    assert decided(project)[4:] == [("keep", "burn_through")] * 3 + [("correct", "burn_through")] * 2
    page.keyboard.press("p")
    page.keyboard.press("p")
    expect(page.locator("#decision")).to_have_text("Decided: label kept (2), now burn through (2).")
    assert errors == []
    page.close()


def test_keys_with_a_modifier_decide_nothing(browser: Browser, server: Reviewing, project: Path) -> None:
    page, _, _ = opened(browser, server)
    for key in ("Control+d", "Alt+k", "Meta+s", "x", "9"):
        page.keyboard.press(key)
    expect(page.locator("#progress")).to_have_text("0 of 3 stretches decided")
    page.keyboard.press("b")
    expect(page.locator("#frame")).to_have_css("filter", "brightness(2.5)")
    assert decided(project) == []
    page.close()


def test_everything_can_be_reached_by_tab_and_by_mouse(browser: Browser, server: Reviewing, project: Path) -> None:
    page, _, _ = opened(browser, server)
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.id || document.activeElement.dataset.label"))
    assert reached >= {"keep", "suggestion", "good_weld", "burn_through", "contamination", "drop", "undo", "next"}
    page.locator("#strip button").first.click()
    expect(page.locator("#place")).to_have_text("frame 1 of 4")
    page.locator("button[data-label=contamination]").click()
    expect(page.locator("#title")).to_have_text("Stretch 2 of 3")
    assert decided(project) == [("correct", "contamination")] * 4
    page.close()


def test_a_page_opened_again_goes_on_at_the_first_open_stretch(browser: Browser, project: Path) -> None:
    with reviewing(project) as first:
        page, _, _ = opened(browser, first)
        page.keyboard.press("k")
        expect(page.locator("#title")).to_have_text("Stretch 2 of 3")
        page.close()
        first.stop()
    with reviewing(project) as second:
        page, _, _ = opened(browser, second)
        expect(page.locator("#title")).to_have_text("Stretch 2 of 3")
        expect(page.locator("#progress")).to_have_text("1 of 3 stretches decided")
        page.close()


def test_a_decision_that_is_not_written_is_said(browser: Browser, server: Reviewing, project: Path) -> None:
    page, _, _ = opened(browser, server)
    server.stop()
    page.keyboard.press("d")
    expect(page.locator("#message")).to_contain_text("Not written: the server does not answer")
    expect(page.locator("#title")).to_have_text("Stretch 1 of 3")
    assert decided(project) == []
    page.close()


def test_a_page_of_another_site_cannot_decide(browser: Browser, server: Reviewing, project: Path) -> None:
    page = browser.new_page()
    page.goto("data:text/html,<title>another site</title>")
    asked = f"{server.url}/v1/decisions"
    body = '{"stretch": 1, "label": null, "first": 0, "last": 3}'
    for kind in ("application/json", "text/plain"):
        page.evaluate(
            """([url, body, kind]) => fetch(url, {
              method: "POST", mode: kind === "text/plain" ? "no-cors" : "cors", headers: { "Content-Type": kind }, body,
            }).catch(() => null)""",
            [asked, body, kind],
        )
    assert decided(project) == []
    page.close()
