# Names for commands. Python 3.11 or newer is needed; everything else comes from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: reproduce test test-fast test-slurm lint bench pull lock

reproduce: $(BIN)/installed
	snakemake --cores all

test: $(BIN)/installed
	pytest

test-fast: $(BIN)/installed
	pytest -m "not slow"

test-slurm: $(BIN)/installed
	tests/slurm/start.sh pytest -n 0 tests/slurm

lint: $(BIN)/installed
	ruff check
	ruff format --check
	snakefmt --check workflow/Snakefile rules
	snakemake --lint

bench: $(BIN)/installed
	python benchmarks/training.py
	python benchmarks/ingest.py
	python benchmarks/evidence.py
	python benchmarks/rendering.py
	python benchmarks/overhead.py    # wants the run of `make reproduce`

pull: $(BIN)/installed
	dvc pull
	weldbench sync

$(BIN)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.lock
	$(BIN)/pip install --quiet --no-deps -e .
	touch $@

lock:
	uv pip compile --universal --python-version 3.11 --all-extras --no-annotate pyproject.toml -o requirements.lock
