# The front door. On a machine with Python 3.11+ and make: `make run` serves, `make test` proves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: help install run test test-services check bench bench-import format lock schemas conformance clean

help: ## what each target does
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "capgate needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

install: $(VENV)/.dev ## everything needed to run, test and check

run: $(VENV)/.run ## serve ./capabilities at http://127.0.0.1:39400/mcp (ARGS="--port 8080" …)
	@exec $(BIN)/capgate serve $(ARGS)

test: install ## every test
	$(BIN)/python -m pytest $(ARGS)

test-services: install ## the examples against the real services they describe, every one required
	CAPGATE_SERVICES=all $(BIN)/python -m pytest tests/services $(ARGS)

check: install ## format, lint, types, layers: what CI runs first
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m gateway.config.schema --check

bench: install ## the figures of docs/benchmarks.md, in CPU-milliseconds per call
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.mcp_backends
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.rest_client
	$(BIN)/python -m benchmarks.reload
	$(BIN)/python -m benchmarks.trust
	$(BIN)/python -m benchmarks.policy
	$(BIN)/python -m benchmarks.failsafe

bench-import: install ## forty real OpenAPI documents, imported and called: docs/import-quality.md
	$(BIN)/python -m benchmarks.openapi_import --write docs/import-quality.md $(ARGS)

conformance: install ## the official MCP conformance suite against /mcp
	$(BIN)/python -m pytest tests/conformance $(ARGS)

format: install ## rewrite the code in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schemas: install ## write schemas/*.json from the models
	$(BIN)/python -m gateway.config.schema

lock: | $(BIN)/python ## resolve the dependencies anew, a week behind the newest
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove what make made
	rm -rf $(VENV) .venv-* .conformance .services .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
