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


# The dossier of an exported model, which says what the drills measure, with what they found in place of that.
rule dossier:
    input:
        "results/{dataset}/trust/unknown.md",
        "results/{dataset}/trust/robustness.md",
        "results/{dataset}/trust/robustness_escapes.md",
        "results/{dataset}/trust/review.md",
        card="exports/{dataset}/{model}/card.md",
        code=code("scripts/dossier.py"),
        template=expand(
            "notebooks/report_template/{file}",
            file=["conf.json", "index.html.j2", "style.css"],
        ),
    output:
        "results/{dataset}/trust/dossier/{model}.md",
        page="results/{dataset}/trust/dossier/{model}.html",
    log:
        "logs/{dataset}/{model}-dossier.log",
    shell:
        "python scripts/dossier.py --dataset {wildcards.dataset} --export exports/{wildcards.dataset}/{wildcards.model}"
        " --trust results/{wildcards.dataset}/trust --output {output.page} {INTO} {log}"


rule trust:
    input:
        f"results/{PARAMS.dataset}/trust.html",
        expand(
            f"results/{PARAMS.dataset}/trust/dossier/{{model}}.html",
            model=PARAMS.export.models,
        ),
