# make test sets up what it needs and runs every check; .ci/run calls exactly that.

PYTHON := .venv/bin/python
# Waiting threads that sleep keep the tests from crawling when another program wants a core.
export OMP_WAIT_POLICY ?= passive

.PHONY: setup lint test clean

setup:
	bash run_backend.sh setup --dev

lint: setup
	bash -n run_backend.sh
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

test: lint
	$(PYTHON) -m pytest

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache frontend/node_modules frontend/dist
