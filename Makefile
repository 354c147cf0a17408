# What a person types. Every target sets up all that it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SPARK := $(VENV)/.spark
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help repro test check format types imports pytest container audit jax deps experiments bench verify serve ui screens lock clean spark spark-demo

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

repro: $(READY) ## build everything that params.yaml describes, and sum it up
	$(BIN)/dvc repro
	@$(BIN)/movierec track sync || true
	@$(BIN)/movierec summary

test: check ## run every check

check: format types imports pytest

format: $(READY) ## style: ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## types: mypy --strict
	$(BIN)/mypy movierec stages tests benchmarks docs

imports: $(READY) ## layers: imports go down only
	$(BIN)/lint-imports

pytest: $(READY) ## the test suite with coverage
	$(BIN)/pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder --cov --cov-report term:skip-covered

container: $(READY) ## check the container's files, and serve from what the image would hold
	$(BIN)/hadolint Dockerfile
	MOVIEREC_API_TOKEN=token POSTGRES_PASSWORD=password docker-compose config --quiet
	ops/check_image.sh

bench: $(SPARK) jax ## measure every published number again
	for name in accuracy ranking_quality neural cold_movies new_movies svdpp svd_speed als_speed ease_speed intervals ranking tracking service scale scale_spark pipeline; do $(BIN)/python -m benchmarks.$$name || exit 1; done

jax: $(READY) ## install JAX, for the neural models of `make bench` (needs a network)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement benchmarks/requirements.lock
	$(BIN)/pytest --quiet benchmarks/networks

deps: $(READY) ## write each stage's list of code in dvc.yaml anew
	$(BIN)/python -m movierec.stage_code

SHOWN := factors$$|dataset$$|svd(_tuned)?[.]rmse$$|als(_tuned)?[.]ndcg@10$$
experiments: $(READY) ## list the DVC experiments in 120 columns: factors, data, RMSE of the SVDs, NDCG@10 of the ALSs
	@COLUMNS=120 $(BIN)/dvc exp show --no-pager --hide-workspace --precision 4 --drop '^(?!Experiment|$(SHOWN)).*'

verify: $(READY) ## rebuild the committed experiment from nothing, compare byte for byte
	$(BIN)/movierec verify

serve: $(READY) ## serve recommendations at http://127.0.0.1:8000
	$(BIN)/movierec serve

spark: $(SPARK) ## add pyspark to the environment, for engine: spark (456 MB; Java 17 is needed)

spark-demo: $(SPARK) ## run the pipeline on a cluster of this machine's processes, and compare with the local engine
	$(BIN)/python ops/spark/demo.py

ui: $(READY) ## open the tracked runs
	@$(BIN)/movierec track sync || true
	$(BIN)/mlflow ui --backend-store-uri sqlite:///$(CURDIR)/mlflow.db

screens: $(READY) ## take the pictures of MLflow and of the service's page in docs/ again (needs Chromium)
	$(BIN)/python -m docs.screens
	$(BIN)/python -m docs.service_screens

LOCK := uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --quiet

AUDIT := $(VENV)/audit

audit: $(READY) ## look for known vulnerabilities in the locked packages (needs a network)
	@test -x $(AUDIT)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT) && \
		$(AUDIT)/bin/pip install --quiet --disable-pip-version-check 'pip-audit>=2.7,<3' 2>/dev/null; } || \
		{ echo "error: pip-audit cannot be installed: a network is needed"; exit 1; }
	@$(AUDIT)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		--requirement requirements.lock --requirement ops/spark/requirements.lock >$(AUDIT)/log 2>&1; status=$$?; \
		grep -q 'known vulnerabilit' $(AUDIT)/log || \
		{ echo "error: what is known of vulnerabilities cannot be read: nothing was audited"; exit 1; }; \
		cat $(AUDIT)/log; exit $$status

lock: ## renew the three files of locked packages from pyproject.toml (needs uv)
	$(LOCK) pyproject.toml --extra dev --upgrade --output-file requirements.lock
	$(LOCK) --group spark --constraint requirements.lock --output-file ops/spark/requirements.lock
	$(LOCK) --group service --constraint requirements.lock --output-file ops/requirements.lock
	$(LOCK) --group neural --constraint requirements.lock --output-file benchmarks/requirements.lock

clean: ## remove the environment and every cache; tracked runs and the service's ratings stay
	rm -rf $(VENV) .movierec/trials dvc_plots .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* .schemathesis

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "error: Python's venv module is needed: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/pip check --disable-pip-version-check
	@touch $@

$(SPARK): ops/spark/requirements.lock $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes --requirement $<
	@touch $@
