# What a person types. Every target sets up all that it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help repro test check format types imports pytest bench verify ui lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

repro: $(READY) ## build everything that params.yaml describes, and sum it up
	$(BIN)/dvc repro
	@$(BIN)/movierec summary

test: check ## run every check

check: format types imports pytest

format: $(READY) ## style: ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## types: mypy --strict
	$(BIN)/mypy movierec stages tests benchmarks

imports: $(READY) ## layers: imports go down only
	$(BIN)/lint-imports

pytest: $(READY) ## the test suite with coverage
	$(BIN)/pytest --numprocesses 2 --dist loadgroup --cov --cov-report term:skip-covered

bench: $(READY) ## measure every published number again
	for name in accuracy svdpp svd_speed intervals hybrid ranking; do $(BIN)/python -m benchmarks.$$name || exit 1; done

verify: $(READY) ## rebuild the committed experiment from nothing, compare byte for byte
	$(BIN)/movierec verify

ui: $(READY) ## open the tracked runs
	$(BIN)/mlflow ui --backend-store-uri sqlite:///$(CURDIR)/mlflow.db

lock: ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --upgrade --output-file requirements.lock

clean: ## remove the environment and all that is not in git
	rm -rf $(VENV) .movierec dvc_plots .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "error: Python's venv module is needed: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
