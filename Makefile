# Each target does its own set-up: all it needs is Python 3.11 or newer and make.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := service workers display_drivers tests $(wildcard bench)

# Some machines forbid it, and every process of the tests and of the demonstration would compile all there is.
export PYTHONDONTWRITEBYTECODE :=

# The first of these that is new enough.
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$each" && break; done)

.PHONY: help demo test lint format types contracts chaos soak bench gallery openapi lock clean

help:
	@echo "make demo [KEEP=1]   everything at once on a simulated store; KEEP=1 leaves it running"
	@echo "make test [ARGS=…]   every test; ARGS go to pytest"
	@echo "make lint            ruff; make format mends what it can"
	@echo "make types           mypy, strict"
	@echo "make contracts       which package may import which"
	@echo "make chaos [SEED=1 RUNS=10 DATABASE=SQLite JOBS=1]   real processes, random troubles, judged by the glass"
	@echo "make soak [MINUTES=120 DATABASE=SQLite]   hours of load and faults: does anything leak"
	@echo "make bench [ARGS=…]  how fast it is, against floors; ARGS such as --quick or --record"
	@echo "make gallery         draw every shipped template anew for the docs"
	@echo "make openapi         write docs/openapi.json anew, so that a change of the API is seen in review"
	@echo "make lock            resolve the dependencies of pyproject.toml anew"

$(READY): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Shelfcast needs Python 3.11 or newer, and none is on the PATH." \
		"Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV) || { echo "This Python cannot make virtual environments." \
		"On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The renderer that drawing is measured against, apart from ours: what it needs is not what we need.
PEER := $(VENV)/peer/.ready
$(PEER): bench/peer.lock $(READY)
	@$(PYTHON) -m venv $(VENV)/peer
	@$(VENV)/peer/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/peer.lock
	@touch $@

demo: $(READY)
	@$(BIN)/python -m service.cli demo $(if $(KEEP),--keep)

# Two at once, file by file, since many tests wait for processes; more would only make the small machine late. In the
# order of tests/conftest.py: xdist's own would leave the files with few and long tests to the end.
SPREAD ?= -n 2 --dist loadfile --no-loadscope-reorder
test: $(READY) $(PEER)
	@if [ -n "$$SHELFCAST_FEEDS" ] && [ -d "$$SHELFCAST_FEEDS" ]; then \
		$(BIN)/python -m pytest $(SPREAD) $(ARGS); \
	else \
		echo "Left out: the tests on the shared real feeds, since SHELFCAST_FEEDS names no folder."; \
		$(BIN)/python -m pytest $(SPREAD) -m "not feeds" $(ARGS); \
	fi

lint: $(READY)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)

format: $(READY)
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

types: $(READY)
	@$(BIN)/mypy

contracts: $(READY)
	@$(BIN)/lint-imports

SEED ?= 1
RUNS ?= 10
DATABASE ?= SQLite
JOBS ?= 1
chaos: $(READY)
	@$(BIN)/python -m tests.chaos --seed $(SEED) --runs $(RUNS) --database $(DATABASE) --jobs $(JOBS) $(ARGS)

MINUTES ?= 120
soak: $(READY)
	@$(BIN)/python -m tests.soak --minutes $(MINUTES) --database $(DATABASE) $(ARGS)

bench: $(READY) $(PEER)
	@$(BIN)/python -m bench $(ARGS)

# Two locks with the same versions: what runs, and what develops. Without registry addresses, so that they hold anywhere.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml
lock: $(READY)
	@$(COMPILE) -o requirements.lock
	@$(COMPILE) --extra dev -c requirements.lock -o requirements-dev.lock
	@$(subst pyproject.toml,bench/peer.in,$(COMPILE)) -o bench/peer.lock

# The pictures of docs/templates.md, which the tests compare with what is drawn.
gallery: $(READY)
	@for file in service/rendering/templates/*.toml; do \
		name=$$(basename $$file .toml); $(BIN)/shelfcast template sheet $$name --out docs/gallery/$$name.png; done

# The document as it is reviewed: the tests compare it with what the API says of itself.
openapi: $(READY)
	@$(BIN)/python -m service.api.openapi > docs/openapi.json

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist demo-shelf.png
