# The commands of a day's work. `make help` lists them.
PY := .venv/bin/python
SOURCES := core api job-image operator charts tests tools

.PHONY: help check format generate test
help: ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

check: ## format, lint, types, import rules, unit tests
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m mypy core/clipmill core/clipmill_probe api/clipmill_api api/clipmill_client api/clipmill_cli job-image/clipmill_job operator/clipmill_operator charts/generate.py
	.venv/bin/lint-imports
	$(PY) -m pytest -q tests/unit

format: ## put everything into the house form
	$(PY) -m ruff format $(SOURCES)
	$(PY) -m ruff check --fix $(SOURCES)

generate: ## what follows from other files: docs/cli.md, CRD, values schema, chart README, CRD template, install.yaml
	$(PY) -m clipmill_operator.building.crd > manifests/crd.yaml
	$(PY) charts/generate.py
	$(PY) -m clipmill_cli.commands.reference_page > docs/cli.md

test: ## everything that can run here
	./run test
