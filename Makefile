# make run      install what is missing and start everything on this machine
# make test     install what the tests need and run them
# make lint     ruff, mypy, import-linter, djlint
# make bench    print the benchmark figures
# make both-sides  a church of 5,000 people edited on both sides until both agree; BOTH_SIDES_PEOPLE, _GROUPS and _PERIOD say otherwise
# make kills    100 SIGKILLs of the worker over a run of 300 cards; KILLS, KILLS_CARDS and KILLS_SEED say otherwise
# make matrix   thousands of pairs of faults; MATRIX_PAIRS says how many, MATRIX_SEED from where, MATRIX_PROCESSES on how many cores

# What was compiled is kept: every process starts from it, and the tests start more than a hundred.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEBIAN := command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]
APT := apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends >/dev/null 2>&1

# What was installed for a lock is remembered by its hash, so that nothing is asked of the network a second time.
state = $$(cat $(1) pyproject.toml | sha256sum; $(BIN)/python --version; pwd)
up_to_date = [ "$(state)" = "$$(cat $(2) 2>/dev/null)" ]

run: install
	@exec $(BIN)/connectcard up

install: .venv/bin/pip
	@$(call up_to_date,requirements.lock,.venv/installed) || { \
	  echo "Installing connectcard into .venv, for half a minute or so ..." && \
	  $(PIP) install --require-hashes -r requirements.lock && \
	  $(PIP) install --no-deps --no-build-isolation -e . && \
	  echo "$(call state,requirements.lock)" > .venv/installed; }

install-dev: install
	@$(call up_to_date,requirements-dev.lock,.venv/installed-dev) || { \
	  echo "Installing what the tests need into .venv ..." && \
	  $(PIP) install --require-hashes -r requirements-dev.lock && \
	  echo "$(call state,requirements-dev.lock)" > .venv/installed-dev; }

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "connectcard needs Python 3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(DEBIAN) && echo "Installing python3-venv ..." && $(APT) python3-venv; } || \
	  { echo "Python's venv is missing. Paste this, then try again:  sudo apt-get install --yes python3-venv"; exit 1; }
	@rm -rf .venv && $(PYTHON) -m venv .venv

# Chromium and PostgreSQL are for tests only; without them the tests that need them are skipped, and pytest names them at the end.
# libatomic1 is what the browser's driver needs on a bare Debian.
chromium := { command -v chromium || [ -n "$$CHROMIUM" ]; } >/dev/null && command -v chromedriver >/dev/null && $(BIN)/python -m playwright --version >/dev/null 2>&1

test-programs: install-dev
	@$(chromium) || { $(DEBIAN) && echo "Installing Chromium ..." && $(APT) chromium chromium-driver fonts-liberation libatomic1; } || \
	  echo "Chromium or its driver is missing: tests of what a person sees will not run. Mend it with:  sudo apt-get install --yes chromium-driver libatomic1"
	@command -v chromium-headless-shell >/dev/null || [ -n "$$CHROMIUM" ] || \
	  { $(DEBIAN) && echo "Installing Chromium's headless shell ..." && $(APT) chromium-headless-shell; } || \
	  echo "chromium-headless-shell is missing: tests of what a person sees take the whole Chromium, which is slower."
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || [ -n "$$TEST_DATABASE_URL" ] || \
	  { $(DEBIAN) && echo "Installing PostgreSQL ..." && $(APT) postgresql; } || \
	  echo "PostgreSQL is missing: its tests will not run, SQLite is tested. Mend it with:  sudo apt-get install --yes postgresql"

test: test-programs
	$(BIN)/python -m pytest -n auto --dist worksteal -rs

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates

bench: test-programs
	$(BIN)/python -m pytest -n 0 -s tests/benchmarks/bench_*.py

matrix: install-dev
	@$(BIN)/python -m tests.matrix.pairs

kills: test-programs
	@KILLS=$${KILLS:-100} KILLS_CARDS=$${KILLS_CARDS:-300} $(BIN)/python -m pytest -n 0 -s tests/flows/test_kills.py

both-sides: test-programs
	@BOTH_SIDES_PEOPLE=$${BOTH_SIDES_PEOPLE:-5000} BOTH_SIDES_GROUPS=$${BOTH_SIDES_GROUPS:-80} \
	  BOTH_SIDES_PERIOD=$${BOTH_SIDES_PERIOD:-20} $(BIN)/python -m pytest -n 0 -s tests/flows/test_both_sides.py

# Needs uv (https://docs.astral.sh/uv). Hashes bind what is installed to what was tested; no registry's address is written down.
COMPILE := uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --only-binary :all: \
  --generate-hashes --no-annotate --no-header --quiet

lock:
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra dev --constraints requirements.lock --output-file requirements-dev.lock
	@! grep -nE '://|--(extra-)?index|--find-links' requirements.lock requirements-dev.lock

migration: install
	$(BIN)/python migrations/generate.py "$(m)"

initial-migration: install
	$(BIN)/python migrations/generate.py --initial

.PHONY: run install install-dev test-programs test lint bench matrix both-sides kills lock migration initial-migration
