# `make demo` and `make test` are all a newcomer needs; both make the virtual environment first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint docs bench clean

demo: $(VENV)/.installed
	$(BIN)/limpid demo --overwrite -o demo.png
	@echo "The before/after picture lies in $(CURDIR)/demo.png"

test: lint
	$(BIN)/python -m pytest --numprocesses auto

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests benchmarks docs examples
	$(BIN)/ruff format --check src tests benchmarks docs examples
	$(BIN)/mypy
	$(BIN)/mypy docs/generate.py docs/field.py docs/doctests.py examples

docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py build/docs
	$(BIN)/zensical build --strict --config-file build/docs/mkdocs.yml
	@echo "The site lies in $(CURDIR)/build/docs/site/index.html"

bench: $(VENV)/.dev
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# A CPU-only torch first where pip finds one, so that nothing pulls the CUDA packages.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build demo.png .mypy_cache .ruff_cache .pytest_cache .hypothesis
