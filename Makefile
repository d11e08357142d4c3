# Every target sets up what it needs. `make` alone explains them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTO_VENV := .venv-proto
READY := $(VENV)/.ready
PROTO_READY := $(PROTO_VENV)/.ready
PYTEST := $(BIN)/pytest

# Tests start a hundred processes: none of them is to compile again what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test guard guard-renew check check-proto proto bench prove fmt

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with everything, to the version (again only when the pins change)

demo: $(READY) ## Play the main job on a throw-away server and show each step
	@$(BIN)/understudy demo

serve: $(READY) ## Run the server on ./understudy-data (Ctrl-C stops it)
	@$(BIN)/understudy serve

# Who is done takes half of what the other has left, from its end: tests of a file, which share servers, stay together.
test: $(READY) ## Run the tests
	@tools/system_packages.sh chromium || echo "make: the tests in a browser are left out" >&2
	$(PYTEST) -n 2 --dist worksteal

guard: $(READY) ## Say what a request costs beside its budget (SCENARIO=static: by function)
	@PYTHONPATH=tests $(BIN)/python -m guard $(SCENARIO)

guard-renew: $(READY) ## Set the budgets of requests to what they cost now (REASON='...' where that is more)
	@PYTHONPATH=tests $(BIN)/python -m guard --renew --reason "$$REASON"

check: $(READY) check-proto ## Check form, types, imports, protos and everything generated
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PROTO_VENV)/bin/python tools/generate_protos.py --check
	$(BIN)/python tools/api_surface.py --check
	$(BIN)/python tools/openapi.py --check
	$(BIN)/python tools/manifest_schema.py --check
	$(BIN)/python tools/reference.py --check

check-proto: $(READY) $(PROTO_READY) ## Check the protos alone
	$(BIN)/python tools/third_party_protos.py
	$(BIN)/buf lint
	$(BIN)/buf format proto --diff --exit-code

proto: $(READY) $(PROTO_READY) ## Generate all that is made from proto/: messages, listings, the schema, docs/reference
	$(PROTO_VENV)/bin/python tools/generate_protos.py
	$(BIN)/python tools/api_surface.py
	$(BIN)/python tools/openapi.py
	$(BIN)/python tools/manifest_schema.py
	$(BIN)/python tools/reference.py

bench: $(READY) ## Measure, and write benchmarks/RESULTS.md (ROW=static: that row again)
	@tools/system_packages.sh nginx-light:nginx wrk util-linux:taskset
	@$(if $(filter-out peers,$(ROW)),,tools/system_packages.sh nodejs:node npm default-jre-headless:java || \
	  echo "make: the peers that need what is missing are left out" >&2)
	$(BIN)/python -m benchmarks.run

prove: $(READY) ## Run the proofs at full length
	UNDERSTUDY_PROVE=1 $(PYTEST) tests/proofs --timeout 3600
	UNDERSTUDY_PROVE=1 $(PYTEST) tests/unit tests/wire -m hypothesis -n 2 --timeout 3600

fmt: $(READY) $(PROTO_READY) ## Put code and protos into form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python tools/third_party_protos.py
	$(BIN)/buf format proto --write

# What is missing on the machine is named with the command that installs it; the rest is pip's.
define HAVE_PYTHON
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: there is no $(PYTHON) here. On Debian or Ubuntu: sudo apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $$($(PYTHON) --version) is too old: 3.11 is needed. On Debian 12, Ubuntu 24.04 or later:" >&2; \
	  echo "  sudo apt-get install python3 python3-venv   (or name another one: make PYTHON=python3.12)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: $(PYTHON) has no venv module. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
endef

$(READY): pyproject.toml clients/python/pyproject.toml constraints.txt
	$(HAVE_PYTHON)
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e clients/python -e '.[dev]'
	@touch $@

$(PROTO_READY): constraints-proto.txt
	$(HAVE_PYTHON)
	@test -x $(PROTO_VENV)/bin/pip || $(PYTHON) -m venv $(PROTO_VENV)
	$(PROTO_VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints-proto.txt grpcio-tools googleapis-common-protos setuptools
	@touch $@
