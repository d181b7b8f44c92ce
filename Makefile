PYTHON ?= .venv/bin/python

migration:
	PYTHONPATH=. $(PYTHON) migrations/generate.py "$(m)"

initial-migration:
	PYTHONPATH=. $(PYTHON) migrations/generate.py --initial

.PHONY: migration initial-migration
