# From predictions to conclusions: compare, report. Nothing here trains.
from weldbench.reporting.outputs import FIGURES, MODEL_FIGURES, TABLES


rule compare:
    input:
        FRAMES,
        expand("data/{{dataset}}/split/fold{fold}/split.csv", fold=PARAMS.folds),
        expand("data/{{dataset}}/split/fold{fold}/audit.json", fold=PARAMS.folds),
        expand(
            "models/{{dataset}}/{model}/fold{fold}/seed{seed}/{file}",
            model=PARAMS.compare.models,
            fold=PARAMS.folds,
            seed=PARAMS.seeds,
            file=["history.csv", "training.json"],
        ),
        expand(
            "results/{{dataset}}/evaluation/{model}/fold{fold}/seed{seed}/{file}",
            model=PARAMS.compare.models,
            fold=PARAMS.folds,
            seed=PARAMS.seeds,
            file=["predictions.csv", "evaluation.json"],
        ),
        "reference/published.yaml",
        "requirements.lock",
        code=code("scripts/compare.py"),
    output:
        [
            report(
                f"results/{{dataset}}/tables/{name}.csv",
                category="Tables",
                caption=caption(entry),
                labels={"table": name},
            )
            for name, entry in TABLES.items()
        ],
        expand(
            "results/{{dataset}}/tables/{table}.{format}",
            table=TABLES,
            format=["md", "tex"],
        ),
        [
            report(
                f"results/{{dataset}}/{entry.path()}",
                category="Figures",
                caption=caption(entry),
                labels={"figure": name, "model": "all"},
            )
            for name, entry in FIGURES.items()
        ],
        [
            report(
                f"results/{{dataset}}/{entry.path(model)}",
                category="Figures",
                caption=caption(entry, model),
                labels={"figure": name, "model": model},
            )
            for name, entry in MODEL_FIGURES.items()
            for model in PARAMS.compare.models
        ],
        "results/{dataset}/comparison.json",
    log:
        "logs/{dataset}/compare.log",
    params:
        settings=settings(
            "seeds",
            "folds",
            "compare",
            "export.vote_frames",
            "per_dataset.{dataset}.compare",
        ),
    shell:
        "python scripts/compare.py --dataset {wildcards.dataset} --data data/{wildcards.dataset}"
        " --trained models/{wildcards.dataset} --evaluation results/{wildcards.dataset}/evaluation"
        " --output results/{wildcards.dataset} {INTO} {log}"


rule report:
    input:
        "data/{dataset}/manifest.csv",
        rules.compare.output,
        expand("results/{{dataset}}/explain/{model}.png", model=PARAMS.compare.models),
        "requirements.lock",
        code=code("scripts/report.py", "notebooks/report.ipynb"),
        template=expand(
            "notebooks/report_template/{file}",
            file=["conf.json", "index.html.j2", "style.css"],
        ),
    output:
        report(
            "results/{dataset}/report.html",
            category="Report",
            caption="../workflow/report/report.rst",
            labels={"what": "the report"},
        ),
        "results/{dataset}/lineage.json",
    log:
        "logs/{dataset}/report.log",
    params:
        settings=settings("report", "export.models"),
    shell:
        "python scripts/report.py --dataset {wildcards.dataset} --results results/{wildcards.dataset}"
        " --output results/{wildcards.dataset}/report.html {INTO} {log}"
