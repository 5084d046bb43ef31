# Everything that is installed or cached lies in .venv and .cache, and what the service writes in data/.
# Your home directory and the system stay as they are; `make clean` takes it all away again, but for data/.

.DEFAULT_GOAL := welcome
.DELETE_ON_ERROR:
.SUFFIXES:

HERE := $(CURDIR)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
REDOCLY := @redocly/cli@2.77.0

# The first Python that is new enough; `make PYTHON=/path/to/python3.13 ...` takes another.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && exit; done; echo python3)

export TMPDIR := $(HERE)/.cache/tmp
export XDG_CACHE_HOME := $(HERE)/.cache/xdg
export PIP_CACHE_DIR := $(HERE)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_REQUIRE_VIRTUALENV := 1
export UV_CACHE_DIR := $(HERE)/.cache/uv
# pip asks a Rust that is installed for its version, and that one makes itself a home.
export RUSTUP_HOME := $(HERE)/.cache/rustup
export npm_config_cache := $(HERE)/.cache/npm
export npm_config_prefer_offline := true
export npm_config_fetch_retries := 1
export npm_config_update_notifier := false
# A virtual environment or a path of the caller's must not leak into ours.
unexport VIRTUAL_ENV
unexport PYTHONHOME
unexport PYTHONPATH
# Servers start in half the time where Python may keep what it has compiled.
unexport PYTHONDONTWRITEBYTECODE

PIP_INSTALL := $(BIN)/python -m pip install --quiet --require-hashes

# Tests get an empty home, so that nobody's own settings decide whether they pass. A question to the DNS that got lost
# costs them a second and not five.
SANDBOX := HOME='$(HERE)/.cache/home' XDG_CONFIG_HOME='$(HERE)/.cache/home/.config' \
	XDG_DATA_HOME='$(HERE)/.cache/home/.local/share' XDG_STATE_HOME='$(HERE)/.cache/home/.local/state' \
	HYPOTHESIS_STORAGE_DIRECTORY='$(HERE)/.cache/hypothesis' RES_OPTIONS='timeout:1 attempts:3'

ifneq ($(shell mkdir -p .cache/tmp .cache/home && echo made),made)
$(error .cache cannot be made here: the checkout must be writable)
endif

.PHONY: welcome
welcome: check help

.PHONY: help
help: ## list these targets
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 ## \2/p' Makefile | awk -F ' ## ' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo

define CHECK
import os, sys

def need(package, why):
    sys.exit(f"{why}\nInstall the package {package} and try again (Debian, Ubuntu: apt install {package}).")

if sys.version_info < (3, 11):
    need("python3.11", f"{sys.executable} is Python {sys.version.split()[0]}; 3.11 or newer is needed.")
try:
    import venv, ensurepip
except ImportError:
    name = os.path.basename(sys.executable)
    need(f"{name}-venv", f"{name} cannot make a virtual environment with pip in it.")
try:
    import sqlite3
except ImportError:
    need("libsqlite3-0", f"{sys.executable} was built without sqlite3.")
if sqlite3.sqlite_version_info < (3, 35):
    need("libsqlite3-0", f"SQLite is {sqlite3.sqlite_version}; 3.35 or newer is needed.")
try:
    sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(words)")
except sqlite3.OperationalError:
    need("libsqlite3-0", f"SQLite {sqlite3.sqlite_version} lacks the full-text module FTS5.")
print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version} with FTS5: this machine will do.")
endef
export CHECK

.PHONY: check
check: ## see whether this machine has what it takes
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON)." \
		"Install the package python3 (3.11 or newer) and try again (Debian, Ubuntu: apt install python3)." >&2; exit 1; }
	@"$(PYTHON)" -c "$$CHECK"

.PHONY: run
run: $(STAMPS)/run ## install, load the demo county once, serve it and print URL and keys
	@$(BIN)/xiaohao serve --demo

.PHONY: demo
demo: $(STAMPS)/run ## load the demo county, serve nothing
	@$(BIN)/xiaohao demo

.PHONY: test
test: $(STAMPS)/dev ## run the tests; ARGS="-k words" chooses
	@$(SANDBOX) $(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(ARGS)

.PHONY: browser
browser: $(STAMPS)/dev ## see whether a browser is there for its tests
	@$(BIN)/python -m tests.browser.chromium

.PHONY: soak
soak: ## run the same tests, each at its full size
	@TEST_SIZE=full $(MAKE) --no-print-directory test

.PHONY: lint
lint: $(STAMPS)/dev ## ruff, mypy, import contracts, and the OpenAPI document
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict service
	@$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter
	@if ! command -v npx >/dev/null; then \
		echo "openapi/openapi.json not linted: Node is not installed"; \
	elif ! npx --yes $(REDOCLY) --version >.cache/redocly.log 2>&1; then \
		echo "openapi/openapi.json not linted: npx could not run $(REDOCLY):"; grep -i error .cache/redocly.log | head -n 3; \
	else \
		REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --yes $(REDOCLY) lint openapi/openapi.json; \
	fi

.PHONY: bench
bench: $(STAMPS)/dev ## measure it on this machine
	@$(BIN)/python -m bench $(ARGS)

.PHONY: openapi
openapi: $(STAMPS)/run ## write openapi/openapi.json from the code
	@mkdir -p openapi
	@$(BIN)/xiaohao openapi >openapi/openapi.json.tmp && mv openapi/openapi.json.tmp openapi/openapi.json

# Compared against a fresh database at the last migration, never against the one in data/.
.PHONY: migration
migration: $(STAMPS)/dev ## write a migration for what changed in the tables: make migration m="what it does"
	@test -n "$$m" || { echo 'Say what it does: make migration m="what it does"' >&2; exit 2; }
	@rm -rf .cache/migration && mkdir -p .cache/migration
	@env -u XIAOHAO_DATABASE_URL XIAOHAO_DATA_DIR=.cache/migration $(BIN)/alembic upgrade head
	@env -u XIAOHAO_DATABASE_URL XIAOHAO_DATA_DIR=.cache/migration $(BIN)/alembic revision --autogenerate -m "$$m"

# Each file is held to the one before it, so that what is tested is what runs.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
.PHONY: lock
lock: $(STAMPS)/dev ## write the lock files from pyproject.toml; UPGRADE=1 takes newer versions
	@$(LOCK) pyproject.toml -o requirements.lock
	@$(LOCK) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock
	@$(LOCK) --group build -c requirements-dev.lock -o requirements-build.lock
	@! grep -nE '://|^ *(-f|-i|--find-links|--index-url|--extra-index-url)|file:' requirements*.lock || \
		{ echo "A lock file names a place to download from." >&2; exit 1; }

.PHONY: clean
clean: ## remove what was installed, cached and built; data/ stays
	rm -rf .venv .cache build dist openapi/*.tmp
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a step is done again when what it was made from is newer. A virtual environment holds absolute paths, so
# it is made anew where the checkout was moved.
ifneq ($(shell cat $(STAMPS)/place 2>/dev/null),$(HERE))
.PHONY: $(STAMPS)/place
endif
$(STAMPS)/place:
	@$(MAKE) --no-print-directory check
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@printf '%s\n' '$(HERE)' >$@

$(STAMPS)/build: $(STAMPS)/place requirements-build.lock
	@$(PIP_INSTALL) -r requirements-build.lock
	@touch $@

$(STAMPS)/project: $(STAMPS)/build pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/run: $(STAMPS)/project requirements.lock
	@echo "Installing what the service needs into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements.lock
	@touch $@

$(STAMPS)/dev: $(STAMPS)/run requirements-dev.lock
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements-dev.lock
	@touch $@
