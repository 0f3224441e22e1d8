PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
STAMP := $(VENV)/.latcpb-installed
DOCS_STAMP := $(VENV)/.latcpb-docs
# The version of torch is written down once, in constraints.txt.
TORCH := $(shell sed -n 's/^\(torch==[0-9.]*\)$$/\1/p' constraints.txt)

.PHONY: help venv demo test docs manifest clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile

venv: $(STAMP)  ## the virtual environment, with latcpb in it (editable)

# torch first, pinned: a resolver left to itself takes hours and another build of it.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "$(TORCH)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

demo: $(STAMP)  ## backmap the example trajectory and say where the results are
	PATH="$(abspath $(BIN)):$$PATH" sh examples/demo.sh

test: $(STAMP)  ## lint, types and all tests that are neither slow nor need a GPU
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 -m "not slow and not gpu"

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	touch $@

docs: $(DOCS_STAMP)  ## build the documentation in site/, links checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

manifest: $(STAMP)  ## write the sha256 of weights/ into the package
	$(BIN)/python weights/update_manifest.py

clean:  ## remove the environment and what tools left behind
	rm -rf $(VENV) build dist site demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find latcpb_cli tests -name __pycache__ -type d -prune -exec rm -rf {} +
