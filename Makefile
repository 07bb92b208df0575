# Everything runs in .venv, made on first use from Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := mcp_server orchestrator validators backends sandbox cli

.PHONY: demo test test-fast lint bench format clean system

demo: $(STAMP)            ## delegate three small tasks and watch
	@$(BIN)/orchestrator demo

test: system $(STAMP) lint ## every check: style, types, layers, all tests, coverage
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term --cov-fail-under=90
	$(BIN)/python tests/decisions_covered.py

test-fast: $(STAMP)       ## the inner loop
	$(BIN)/python -m pytest -n 2 -m "not slow" -q

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)           ## the numbers of benchmarks/README.md
	$(BIN)/python benchmarks/stdio.py
	$(BIN)/python benchmarks/overhead.py

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[embedded,prices]" --group test --group lint
	@touch $@

system:                   ## what the tests of sandbox and compilers need, on Debian and Ubuntu
	@.ci/install-system

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
