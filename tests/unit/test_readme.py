"""The README shows what the default run wrote."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_of_the_readme_is_that_of_the_default_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- results/weldsim/tables/comparison.md -->\n")[2].partition("<!-- end -->")[0]
    written = (ROOT / "results/weldsim/tables/comparison.md").read_text(encoding="utf-8")
    assert shown.strip() == written.strip()
    assert (ROOT / "results/weldsim/figures/classes.png").is_file()
