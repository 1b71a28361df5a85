# The commands of a day's work. `make help` lists them.
PY := .venv/bin/python

.PHONY: help check figures format generate test
help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

check: ## format, lint, types, import rules, generated files, unit tests
	./run check

figures: ## package sizes, function lengths, glossary violations, names used twice
	$(PY) tools/house_figures.py

format: ## format and fix the Python files
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

generate: ## write the CRD, the chart's schema, README and CRD template, install.yaml and docs/cli.md
	$(PY) -m clipmill_operator.building.crd > manifests/crd.yaml
	$(PY) charts/generate.py
	$(PY) -m clipmill_cli.commands.reference_page > docs/cli.md

test: ## everything that can run on this machine
	./run test
