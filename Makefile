# Two commands for a start: `make demo` and `make test`. Both make the virtual environment where there is none.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# the tests' networks are tiny: a second thread waits more than it computes
test slow slurm: export OMP_NUM_THREADS ?= 1

.PHONY: demo test slow slurm lint types docs check clean

$(INSTALLED): pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

demo: $(INSTALLED)  ## train a small network for a few minutes and test it against bicubic
	$(BIN)/srlab-train experiment=demo

test: $(INSTALLED)  ## the test suite
	$(BIN)/python -m pytest

slow: $(INSTALLED)  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

slurm: $(INSTALLED)  ## trainings on a Slurm of two nodes that the tests start on this machine
	$(BIN)/python -m pytest -m slurm -rs

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

docs: $(INSTALLED)  ## the site in build/site, strictly: a broken link or reference is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	! grep -rlE '(src|href)="https?://[^"]+\.(js|css|woff2?)"|src="https?://' build/site --include='*.html'

check: lint types test

clean:  ## the environment and caches; never runs/
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
