.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run frontend test ci lint format bench db-revision changelog clean

BIN := .venv/bin
WORKERS ?= 2

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: frontend ## Start the demo CRM and print its address (FRESH=1 forgets its data, ARGS="…")
	$(BIN)/limepkg-email demo $(if $(FRESH),--fresh) $(ARGS)

frontend: .venv/.installed-demo ## Build the web components, if their sources have changed
	$(BIN)/python build_tools/frontend.py

test: .venv/.installed-test frontend ## Install what the tests need and run them (WORKERS=2, ARGS="tests/schema -k plan")
	scripts/test-services
	$(if $(ARGS),,$(BIN)/python build_tools/frontend.py test)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --max-worker-restart 0 $(ARGS)

ci: ## Run exactly what the continuous integration runs
	.ci/run

lint: .venv/.installed-dev frontend ## Check style, types and the layers of the package
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python build_tools/frontend.py run lint

format: .venv/.installed-dev frontend ## Bring the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python build_tools/frontend.py run format

bench: .venv/.installed-test ## Measure what things cost, as ratios to a floor (QUICK=1 for a tenth)
	$(BIN)/python -m benchmarks

db-revision: .venv/.installed-dev ## Write a migration for what changed in models/ (NAME="what changed")
	$(BIN)/python scripts/db_revision.py "$(NAME)"

changelog: .venv/.installed-dev ## Show the changelog that the fragments make
	$(BIN)/towncrier build --draft

clean: ## Remove the virtual environment and all caches; keeps the demo's data
	rm -rf frontend/node_modules frontend/dist frontend/coverage limepkg_email/web_components/static
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .test-results .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed-%: pyproject.toml scripts/install
	scripts/install $*
