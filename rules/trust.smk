# What a factory asks beyond the comparison, on one page: `snakemake --cores all trust`.


rule trust_page:
    input:
        "results/{dataset}/trust/unknown.md",
        "results/{dataset}/trust/unknown.png",
        "results/{dataset}/trust/robustness.md",
        "results/{dataset}/trust/robustness.png",
        "results/{dataset}/trust/robustness_escapes.md",
        "results/{dataset}/trust/review.md",
        "results/{dataset}/trust/review.png",
        code=code("scripts/trust.py", "notebooks/trust.ipynb"),
        template=expand(
            "notebooks/report_template/{file}",
            file=["conf.json", "index.html.j2", "style.css"],
        ),
    output:
        "results/{dataset}/trust.html",
    log:
        "logs/{dataset}/trust.log",
    shell:
        "python scripts/trust.py --dataset {wildcards.dataset} --results results/{wildcards.dataset}"
        " --output {output} {INTO} {log}"


rule trust:
    input:
        f"results/{PARAMS.dataset}/trust.html",
