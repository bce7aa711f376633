# Everything from a bare machine with Python 3.11 or newer: `make quickstart`, `make test`.
# Set-up happens by itself, once, and again only when pyproject.toml or constraints.txt change.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.DEFAULT_GOAL = help
.PHONY: help setup quickstart test lint types ladder check docs results bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-12s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make the virtual environment and install into it

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'ossein needs Python 3.11 or newer; say where it is: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)'; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]" -c constraints.txt
	@touch $@

quickstart: $(READY)  ## the whole story in minutes: data, pre-training, comparison, picture
	$(BIN)/ossein quickstart

test: $(READY)  ## run every test and say what they cover
	# Arrays are tiny here: on a busy machine a second thread of a matrix product only waits for the first.
	OMP_NUM_THREADS=1 $(BIN)/pytest --cov --cov-report=term:skip-covered

lint: $(READY)  ## check style and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## check types; pyright needs Node.js, which comes as a wheel where there is none
	@command -v node > /dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check "pyright[nodejs]" -c constraints.txt || \
		{ echo 'Types were not checked: pyright needs Node.js, and its wheel could not be installed. Install Node.js and try again.'; exit 1; }
	$(BIN)/pyright

ladder: $(READY)  ## check that imports run downwards only
	$(BIN)/lint-imports

check: lint types ladder  ## lint, types and ladder

docs: $(READY)  ## write the settings reference anew and build the site into site/; a broken link is an error
	$(BIN)/python scripts/settings_page.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

results: $(READY)  ## run the experiments of docs/results.md on the data in OSSEIN_DATA (hours)
	$(BIN)/python scripts/results.py run
	$(BIN)/python scripts/results.py write

bench: $(READY)  ## run every benchmark and write docs/benchmarks.md (an hour; some compare with torch_geometric)
	@for script in pretrain_step finetune_step precision loader memory allocator inference growth gpu; do \
		echo "== $$script"; $(BIN)/python benchmarks/$$script.py || exit 1; done
	$(BIN)/python benchmarks/page.py

clean:  ## remove what was built; runs and data stay
	rm -rf $(VENV) build dist site htmlcov .coverage .pytest_cache .ruff_cache .import_linter_cache .hypothesis src/*.egg-info
	find src tests scripts -name __pycache__ -prune -exec rm -rf {} +
