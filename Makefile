# make test sets up what it needs and runs every check; .ci/run calls exactly that.

PYTHON := .venv/bin/python
# Waiting threads that sleep keep the tests from crawling when another program wants a core.
export OMP_WAIT_POLICY ?= passive

.PHONY: setup lint test soak page container-check demo-checkpoint evaluate clean

setup:
	bash run_backend.sh setup --dev

lint: setup
	for script in run_backend.sh benchmarks/*.sh training/*.sh; do bash -n $$script || exit 1; done
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

test: lint page
	$(PYTHON) -m pytest

# The fault suite at 200 random moments, not 20; takes about half an hour. KHALA_KILL_SEED=2 make soak: other moments.
soak: setup
	KHALA_KILL_POINTS=$${KHALA_KILL_POINTS:-200} $(PYTHON) -m pytest tests/backend/test_faults.py -s

# The Dockerfile's steps without a container engine: as root, with Debian's debootstrap; some minutes and 10 GB.
CONTAINER ?= /tmp/khala-container
container-check: setup
	$(PYTHON) -m tests.container.build_in_chroot $(CONTAINER) $(CONTAINER_OPTIONS)

# The web page: types that fit openapi.json, its tests, its weight, and Chromium on the real server.
page: setup
	bash frontend/scripts/check.sh

# The demo checkpoint from nothing, on two quiet CPU cores in somewhat over six hours; goes on where it was stopped.
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
