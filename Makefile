# `make demo` and `make test` do everything that a fresh machine needs; Python 3.11 or newer is all they ask for.
PYTHON ?= python3
BIN = .venv/bin
CHILDREN ?= 2
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)  # one more than cores: many tests wait for something
# Of `make mutants`: names of those to run, with `*` for any letters; none: all. MUTANTS='scoring.pool.* scoring.ranks.*'
MUTANTS ?=

.PHONY: demo cluster test chaos year check bench mutants lock clean

demo: .venv/service  ## a sample city at http://127.0.0.1:8080
	$(BIN)/python -m bot demo

cluster: .venv/service  ## the sample city served by several processes: PostgreSQL, two for the web, two workers
	$(BIN)/python -m bot cluster

test: .venv/develop  ## every test, on both databases; browser tests where Chromium is found
	$(BIN)/pytest -n $(WORKERS) --no-loadscope-reorder

chaos: .venv/develop  ## 2,400 kills of the sender, ten at each other place, and ten minutes of every other trouble
	HONGXIN_CHAOS_KILLS=2000 HONGXIN_CHAOS_S=600 $(BIN)/pytest tests/chaos tests/day/test_named_places.py \
		tests/day/test_upkeep_dies.py

year: .venv/develop  ## a random year of 100,000 events on both databases: every way to its figures says the same
	HONGXIN_YEAR_EVENTS=100000 $(BIN)/pytest tests/scoring/year/test_year.py

check: .venv/develop  ## style, types and the arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml

bench: .venv/develop  ## prints one JSON line per benchmark
	for name in checkin webhook refresh broadcast resume; do $(BIN)/python -m benchmarks.$$name || exit 1; done

mutants: .venv/develop  ## changes the arithmetic in thousands of small ways and counts what the tests notice; for hours
	$(BIN)/pip install --quiet --disable-pip-version-check mutmut==3.8.1
	mkdir -p var/mutants
	find var/mutants -mindepth 1 -maxdepth 1 ! -name mutants -exec rm -rf {} +
	rm -rf var/mutants/mutants/tests
	git ls-files -z -- . ':!tests/day' | xargs -0 cp --parents --preserve=timestamps --target-directory=var/mutants
	cd var/mutants && set -f && ../../$(BIN)/mutmut run --max-children $(CHILDREN) $(MUTANTS)
	cd var/mutants && ../../$(BIN)/mutmut results | sed '/: not checked$$/d'

lock: .venv/develop  ## new versions into the lock files, with hashes
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra dev pyproject.toml -o requirements-dev.lock

.venv/service: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Hongxin needs Python 3.11 or newer: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

.venv/develop: .venv/service requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
