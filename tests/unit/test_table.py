import numpy as np
import pandas as pd
import pytest

from weldbench.reporting.tables.table import Table, format_mean_std, percent, sample_std, share


@pytest.fixture
def table():
    return Table(
        name="few",
        title="Table 7. Few & far_between",
        data=pd.DataFrame({"model": ["a_b"], "f1": [0.123456789], "note": [""]}),
        shown=pd.DataFrame({"model": ["a_b", "x | y"], "macro F1": ["0.123 ± 0.010", "50 %"]}),
        bold=frozenset({(0, "macro F1")}),
        notes=["100 % right."],
    )


def test_markdown(table):
    assert table.markdown() == (
        "**Table 7. Few & far_between**\n\n"
        "| model   |          macro F1 |\n"
        "|:--------|------------------:|\n"
        "| a_b     | **0.123 ± 0.010** |\n"
        "| x \\| y  |              50 % |\n"
        "\n- 100 % right.\n"
    )


def test_latex(table):
    assert table.latex().splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{Few \& far\_between}",
        r"\label{tab:few}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"model & macro F1 \\",
        r"\midrule",
        r"a\_b & \textbf{0.123 $\pm$ 0.010} \\",
        r"x | y & 50 \% \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\footnotesize 100 \% right.",
        r"\end{table}",
    ]


def test_three_files_are_written_and_replace_older_ones(table, tmp_path):
    (tmp_path / "few.md").write_text("old")
    table.write(tmp_path)
    assert (tmp_path / "few.csv").read_text() == "model,f1,note\na_b,0.123457,\n"
    assert (tmp_path / "few.md").read_text(encoding="utf-8") == table.markdown()
    assert (tmp_path / "few.tex").read_text(encoding="utf-8") == table.latex()
    assert len(list(tmp_path.iterdir())) == 3


def test_numbers_as_words():
    assert format_mean_std(np.array([0.5, 0.7])) == "0.600 ± 0.141"
    assert format_mean_std(np.array([0.5])) == "0.500"
    assert format_mean_std(np.array([np.nan, np.nan]), "no frames") == "no frames"
    assert share(float("nan"), "never predicted") == "never predicted"
    assert np.isnan(sample_std(np.array([0.5])))
    assert [percent(value) for value in (0.001, 0.05, 1 / 3, 1)] == ["0.1 %", "5 %", "33.3 %", "100 %"]


def test_sentences_wrap_in_latex():
    shown = pd.DataFrame({"model": ["a"], "remark": ["word " * 20]})
    assert r"\begin{tabular}{lp{0.25\linewidth}}" in Table("few", "Few", shown, shown).latex()
