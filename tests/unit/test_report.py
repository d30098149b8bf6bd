"""The report, opened in a real browser."""

import html
import json
import os
import re
import shutil
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from in_browser import open_in_chromium, opened_browser, probed
from jupyter_client.manager import KernelManager
from made_up_predictions import World, conclude
from playwright.sync_api import expect

from weldbench.errors import InputError
from weldbench.reporting.compare import write_figures, write_tables
from weldbench.reporting.outputs import FIGURE_FORMAT, TABLES, figure_names
from weldbench.reporting.render import own_kernel, render
from weldbench.reporting.report import Report
from weldbench.reporting.tables.table import percent

ROOT = Path(__file__).parents[2]
NOTEBOOK, TEMPLATE = ROOT / "notebooks/report.ipynb", ROOT / "notebooks/report_template"
TITLE = "Which one <can> be trusted?"


def build(root: Path, world: World) -> Path:
    results, findings = root / "results" / world.dataset, conclude(world, root)
    write_tables(findings, results / "tables")
    write_figures(findings, results / "figures")
    return results


def render_report(results: Path, dataset: str) -> Path:
    page = results / "report.html"
    given = {"dataset": dataset, "results": str(results), "title": TITLE, "exported": ["conv6"]}
    render(NOTEBOOK, TEMPLATE, given, page)
    return page


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    world = World(skills={"conv6": 0.8, "resnet18": 0.95}, never_predicted={"conv6": "lack_of_fusion"}, seeds=(0, 1))
    return build(tmp_path_factory.mktemp("report"), world)


@pytest.fixture(scope="module")
def page(results):
    lineage = {"commit": "0123abc", "dirty": False, "params_sha256": "f" * 64, "machine": "one & only"}
    lineage["versions"] = {"torch": "2.14.1"}
    (results / "lineage.json").write_text(json.dumps(lineage))
    return render_report(results, "weldsim")


@pytest.mark.parametrize("width", [400, 1000, 1400])
def test_in_a_browser(tmp_path, page, width):
    found, log = probed(tmp_path, page, width)
    assert found["width"] == width
    assert found["overflow"] <= 0
    assert found["images"] == len(figure_names(["conv6", "resnet18"]))
    assert found["broken"] == found["without_alt"] == 0
    assert found["requests"] == []
    assert found["contrast"] >= 4.5
    assert found["smallest_px"] >= 12
    assert "CONSOLE" not in log
    assert found["headings"][0] == TITLE
    assert len(found["headings"]) == 11


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as browser:
        yield browser


def test_every_table_of_the_default_run_fits_a_laptop(browser, tmp_path):
    results = tmp_path / "weldsim"
    shutil.copytree(ROOT / "results/weldsim", results, ignore=shutil.ignore_patterns("evaluation"))
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.goto(render_report(results, "weldsim").as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    tables = opened.evaluate("""[...document.querySelectorAll(".scroll")].map(
        frame => [frame.getAttribute("aria-label"), frame.scrollWidth - frame.clientWidth])""")
    assert len(tables) == len(TABLES) + 1
    assert [name for name, too_wide_px in tables if too_wide_px > 0] == []


def test_the_contents_lead_to_every_section_and_stay_in_view(browser, page):
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.goto(page.as_uri())
    links = opened.locator("nav a")
    assert links.count() == 11
    for number in range(links.count()):
        links.nth(number).click()
        assert links.nth(number).is_visible()
        target = opened.locator(links.nth(number).get_attribute("href"))
        expect(target).to_be_in_viewport()


def test_printed_pages_show_what_the_screen_folds(browser, page):
    opened = browser.new_page()
    opened.goto(page.as_uri())
    folded = opened.locator("details .scroll")
    assert folded.count() > 5
    assert not any(folded.nth(number).is_visible() for number in range(folded.count()))
    opened.emulate_media(media="print")
    assert all(folded.nth(number).bounding_box()["height"] > 20 for number in range(folded.count()))
    assert not opened.locator("nav").is_visible()


def test_the_summary_card_answers_from_the_tables(page, results):
    card = page.read_text(encoding="utf-8").partition('id="summary"')[2].partition("</section>")[0]
    tables = {path.stem: pd.read_csv(path) for path in (results / "tables").glob("*.csv")}
    best = tables["per_class"][tables["per_class"]["model"] == "resnet18"]
    worst = best[~best["class"].str.contains("average")].sort_values("recall").iloc[0]
    escapes = tables["operating_points"].query("model == 'resnet18' and accepted_false_rejects == 0.01").iloc[0]
    assert "<strong>resnet18</strong> Next comes conv6" in card
    assert f"<strong>{worst['class']}</strong> It recognizes {percent(worst['recall'])} of the " in card
    assert "A defect that it takes for another defect is rejected all the same." in card
    assert f"<strong>{percent(escapes['escape_rate'])} of defective frames" in card
    assert "of defective welds escape</strong>" in card
    assert "ms for a frame of a camera</strong> In batches it takes " in card


def test_a_note_of_several_tables_stands_once(page, results):
    text = html.unescape(page.read_text(encoding="utf-8"))
    notes = Counter(
        line.removeprefix("- ")
        for name in TABLES
        for line in (results / "tables" / f"{name}.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("- ")
    )
    shared = [note for note, count in notes.items() if count > 1]
    assert shared
    assert all(text.count(f"<li>{note}</li>") == 1 for note in shared)


def test_prints_to_pdf(tmp_path, page):
    pdf = tmp_path / "report.pdf"
    open_in_chromium(tmp_path / "profile", page, f"--print-to-pdf={pdf}")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 5


def test_the_page_stands_alone(page):
    # A link to a source loads nothing until a person follows it.
    text = re.sub(r'<a href="https?://[^"]+">', "", page.read_text(encoding="utf-8"))
    addresses = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]{1,40})""", text)
    assert addresses
    assert {address.partition(":")[0] for address in addresses if not address.startswith("#")} == {"data"}
    assert "<script" not in text
    assert "@import" not in text


def test_every_table_is_in_the_page(page, results):
    text = page.read_text(encoding="utf-8")
    for table in TABLES:
        title = (results / "tables" / f"{table}.md").read_text(encoding="utf-8").splitlines()[0].strip("*")
        assert f"<caption>{title}</caption>" in html.unescape(text)
    assert text.count("<table") == text.count("</table>") == text.count('class="scroll"') == len(TABLES) + 1


def test_sentences_carry_the_numbers_of_the_tables(page, results):
    text = page.read_text(encoding="utf-8")
    summary = pd.read_csv(results / "tables" / "summary.csv").iloc[1]
    assert f"<strong>resnet18</strong> has the highest macro F1: {summary.macro_f1:.3f}" in text
    assert f"95 % interval {summary.macro_f1_low:.3f} to {summary.macro_f1_high:.3f}" in text
    assert "conv6 is weakest on lack_of_fusion: F1 0.000, recall 0.000. It never predicts lack_of_fusion." in text


def test_lineage_is_shown_and_what_is_absent_is_not_invented(page):
    text = page.read_text(encoding="utf-8")
    assert "0123abc" in text
    assert "one &amp; only" in text
    assert "torch 2.14.1" in text
    assert text.count("not recorded") == 3


def test_the_page_knows_what_is_exported(page):
    assert "prefers resnet18 (macro F1 0.844) to the exported conv6" in page.read_text(encoding="utf-8")


def test_a_damaged_lineage_is_named(results, tmp_path):
    shutil.copytree(results / "tables", tmp_path / "tables")
    (tmp_path / "lineage.json").write_text("<<<<<<< HEAD\n")
    with pytest.raises(InputError, match=r"lineage\.json: this record of a run is damaged"):
        Report("weldsim", tmp_path, TITLE).reproduction()


def test_the_question_says_from_what_weights_each_model_started(results, tmp_path):
    shutil.copytree(results / "tables", tmp_path / "tables")
    cost = tmp_path / "tables/cost.csv"
    table = pd.read_csv(cost).assign(starts_from=["random weights", "a backbone trained on simulated frames"])
    table.to_csv(cost, index=False)
    told = Report("weldsim", tmp_path, TITLE).question()
    assert "All learned from the same frames: all frames of train." in told
    assert "conv6 started from random weights, resnet18 from a backbone trained on simulated frames." in told


@pytest.mark.parametrize(
    ("exported", "said"),
    [
        (["resnet18"], ""),
        (["conv6", "resnet18"], ""),
        ([], ""),
        (["conv6"], "Valid prefers resnet18 (macro F1 0.844) to the exported conv6 (0.711); to export resnet18, "),
        (["alexnet"], "Valid prefers resnet18 (macro F1 0.844) to the exported alexnet (not compared); to export "),
    ],
)
def test_the_report_says_where_valid_prefers_another_model_than_the_exported(results, exported, said):
    told = Report("weldsim", results, TITLE, exported).factory()
    assert said in told
    assert ("Valid prefers" in told) == bool(said)


def test_a_valid_that_is_too_small_to_choose_by_is_said_with_what_it_prefers(tmp_path):
    world = World(skills={"conv6": 0.8, "resnet18": 0.95}, seeds=(0,), frames_per_run=5, valid_doubts=["one run"])
    told = Report("weldsim", build(tmp_path, world), TITLE, ["conv6"]).factory()
    assert "Valid, though it is too small to choose by, prefers resnet18 (macro F1 0.844)" in told


def test_a_class_may_be_called_none_and_an_empty_number_is_none(tmp_path):
    one_run = {"train": 1, "valid": 1, "test": 1}
    never = {"dataset": "mine", "classes": ["good", "None"], "never_predicted": {"conv6": "None"}}
    world = World(skills={"conv6": 0.8}, seeds=(0,), frames_per_run=5, runs_per_class=one_run, **never)
    write_tables(conclude(world, tmp_path), tmp_path / "results/mine/tables")
    for name in figure_names(world.skills):
        path = tmp_path / f"results/mine/figures/{name}.{FIGURE_FORMAT}"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    report = Report("mine", tmp_path / "results/mine", TITLE)
    assert "conv6 is weakest on None: F1 0.000, recall 0.000. It never predicts None." in report.failures()
    assert "(one test run per class: no interval; one seed)" in report.head()


def test_no_executed_notebook_is_left_and_the_template_is_clean(results, page):
    assert not list(results.rglob("*.ipynb"))
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in notebook["cells"])
    assert notebook["cells"][0]["metadata"]["tags"] == ["parameters"]


@pytest.mark.slow
def test_kernels_and_settings_of_the_user_do_no_harm(results, tmp_path, monkeypatch):
    kernel = tmp_path / "share/jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    broken = {"argv": ["/nowhere/python", "{connection_file}"], "display_name": "broken", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(broken))
    startup = tmp_path / "ipython/profile_default/startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("raise SystemExit('a startup file of the user ran')")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/jupyter_nbconvert_config.json").write_text('{"HTMLExporter": {"template_name": "none"}}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share/jupyter"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "share/jupyter"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    before = dict(os.environ)
    page = render_report(results, "weldsim")
    assert "resnet18" in page.read_text(encoding="utf-8")
    assert dict(os.environ) == before


@pytest.mark.slow
def test_a_kernel_that_is_ended_at_work_keeps_quiet(tmp_path):
    heard = tmp_path / "stderr"
    with own_kernel(), heard.open("wb") as stderr:
        manager = KernelManager(kernel_name="python3", transport="ipc")
        manager.start_kernel(stderr=stderr)
        client = manager.client()
        client.start_channels()
        client.wait_for_ready()
        for pause_ms in range(20):
            client.execute("1 + 1")
            time.sleep(pause_ms / 1000)
            manager.interrupt_kernel()
            time.sleep(0.02)
        client.stop_channels()
        manager.shutdown_kernel()
    assert heard.read_text() == ""


def test_a_failed_report_leaves_the_old_page(results, page):
    before = page.read_bytes()
    table = results / "tables" / "cost.csv"
    content = table.read_bytes()
    table.unlink()
    try:
        with pytest.raises(InputError, match=r"cost\.csv: there is no such file; run the stage compare first"):
            render_report(results, "weldsim")
    finally:
        table.write_bytes(content)
    assert page.read_bytes() == before
    assert not list(results.glob(".*partial*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "world",
    [
        World(dataset="mine", classes=["good", "bad | <worse>"], skills={"conv6": 0.7}, seeds=(0,)),
        World(runs_per_class={"train": 1, "valid": 1, "test": 1}, absent_test_class="burn_through", seeds=(0,)),
        World(dataset="al", classes=[f"class_{n}" for n in range(11)], skills={"m0": 0.7, "m1": 0.8}, seeds=(0,)),
    ],
    ids=["two_classes_one_model", "one_run_per_class", "eleven_classes"],
)
def test_it_is_right_for_any_dataset(tmp_path, world):
    page = render_report(build(tmp_path, world), world.dataset)
    found, log = probed(tmp_path, page, 1400)
    assert found["images"] == len(figure_names(world.skills))
    assert found["broken"] == 0
    assert found["overflow"] <= 0
    assert "CONSOLE" not in log
    assert not re.search(r"\bnan\b|\bNone\b", re.sub(r"data:[^\"]+", "", page.read_text(encoding="utf-8")))
