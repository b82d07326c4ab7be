# make test sets up what it needs and runs every check; .ci/run calls exactly that.

PYTHON := .venv/bin/python
# Waiting threads that sleep keep the tests from crawling when another program wants a core.
export OMP_WAIT_POLICY ?= passive

.PHONY: setup lint test demo-checkpoint evaluate clean

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

# The demo checkpoint from nothing, on a CPU in some hours; goes on where it was stopped.
TRAINING ?= checkpoints/training
demo-checkpoint: setup
	$(PYTHON) -m training.demo $(TRAINING)
	$(PYTHON) -m training.assemble $(TRAINING)
	$(PYTHON) -m training.evaluate --gate

# Every figure of the demo checkpoint's card, from its files alone; exit code 1 when one is too low to ship.
evaluate: setup
	$(PYTHON) -m training.evaluate --gate

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache frontend/node_modules frontend/dist
