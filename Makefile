# Everything a newcomer needs: `make demo`, `make test`. `make help` lists the rest.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	if command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
BIN := .venv/bin
LOCK := $(BIN)/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --strip-extras \
	--allow-unsafe --no-header --no-annotate
ROOMS := schemas proofs service issuer wallet verifier
SOURCES := $(ROOMS) examples bench tests
# One more worker than the machine has cores, since tests also wait: for a browser, a process, a clock.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(1 + max(2, min(8, os.cpu_count() or 2)))' 2>/dev/null || echo 3)
# Some hundred processes are started: without this each would compile every module again, where the shell says so.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test lint format bench crash soak over-asking lock screenshots clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

.venv/.runtime: requirements/runtime.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found. Install it, then run make again."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "Python could not make an environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing Intyga into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 
	@touch $@

.venv/.demo: .venv/.runtime requirements/demo.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.lock
	@touch $@

.venv/.development: .venv/.runtime requirements/development.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.lock
	@touch $@

install: .venv/.runtime ## make .venv and install the three services into it

demo: .venv/.demo ## start issuer, wallet and verifier and walk the whole journey (ONCE=1 ends after the walk)
	@$(BIN)/python -m examples.demo $(if $(ONCE),--once)

test: .venv/.development ## install what the tests need, then run the whole suite
	@sh examples/install_chromium.sh || true
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -r s $(TESTS)

lint: .venv/.development ## format, rules, types, import contracts, secrets
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files -z | xargs -0 -n 300 -P 2 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

format: .venv/.development ## write the code in its one format
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

bench: .venv/.development ## print the performance figures as ratios, write bench/results/latest.json
	@$(BIN)/python -m bench

crash: .venv/.development ## kill every operation of several steps at every point, start again, and judge
	@CRASH_POINTS=all $(BIN)/python -m pytest -n 2 tests/crash/test_every_point.py tests/crash/test_alone.py

soak: .venv/.development ## 200 whole journeys while one of the three services is killed at random (JOURNEYS=, KILLS=, MINUTES=)
	@$(BIN)/python -m tests.crash --journeys $(or $(JOURNEYS),200) --kills $(or $(KILLS),200) --minutes $(or $(MINUTES),20)

over-asking: .venv/.development ## print precision and recall of the rules on over-asking, on the labelled set
	@$(BIN)/python -m tests.over_asking.report

screenshots: .venv/.development ## take the README's pictures from the real pages
	@sh examples/install_chromium.sh
	@$(BIN)/python -m examples.screenshots

lock: .venv/.development ## write requirements/*.lock anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet pip-tools
	$(LOCK) --extra build -o requirements/runtime.lock pyproject.toml
	$(LOCK) --extra build --extra demo -o requirements/demo.lock pyproject.toml
	$(LOCK) --extra build --extra demo --extra dev -o requirements/development.lock pyproject.toml

clean: ## remove the environment and what the demo wrote
	rm -rf .venv demo-data bench/results
