# `make run` tries the site, `make test` checks it. Both make what they need in .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
NODE_MODULES := tests/browser/node_modules

# Without bytecode files every process compiles the site anew at its start: 1.4 s instead of 1.2.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-all soak flood fuzz audit bench screens brochure clean

help:
	@echo "make run    installe, prépare la base et sert le site sur http://127.0.0.1:8000 (PORT=… pour un autre port)"
	@echo "make test   installe et lance ruff, mypy, import-linter et pytest, sans les essais longs"
	@echo "make test-all  la même chose, puis les essais longs : serveurs tués, bases relancées, foules"
	@echo "make soak   tue le serveur à des moments tirés au sort, une minute (SOAK_SECONDS=…), et vérifie tout"
	@echo "make flood  envoie 10 000 demandes pour une même adresse et compte les messages ; deux à trois minutes"
	@echo "make fuzz   envoie 20 000 requêtes que personne n’enverrait (FUZZ_REQUESTS=…) ; cinq minutes environ"
	@echo "make audit  mesure l’article et les formulaires avec Lighthouse et écrit docs/audit.md ; cinq minutes environ"
	@echo "make bench  mesure la vitesse à côté de ce qu’on peut en attendre et écrit docs/benchmarks.md (PARTS=…, SUBMISSIONS=…)"
	@echo "make screens  photographie les pages principales dans docs/screens/"
	@echo "make brochure  recompose la brochure spécimen après un changement des contenus (OUTPUT=…, PREVIEW=… pour l’écrire ailleurs)"
	@echo "make clean  retire .venv et les caches ; ne touche jamais à instance/"

run: .venv/installed
	@exec $(BIN)/flask serve --samples

test: .venv/installed-dev $(NODE_MODULES)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -m "not slow"

test-all: test
	$(BIN)/pytest -m slow

soak: .venv/installed-dev
	@$(BIN)/pytest -n 0 -q -s --show-capture=no tests/soak.py

flood: .venv/installed-dev
	@$(BIN)/pytest -n 0 -q -s tests/flood.py

fuzz: .venv/installed-dev
	@$(BIN)/pytest -n 0 -q -s tests/fuzz.py

audit: .venv/installed-dev
	@cd tests/browser && npm ci --silent && touch node_modules/installed
	@$(BIN)/python -m tests.browser.audit

bench: .venv/installed-dev
	@$(BIN)/python -m benchmarks $(PARTS) --submissions $(or $(SUBMISSIONS),100000)

screens: .venv/installed-dev
	@$(BIN)/python -m tests.browser.screens

brochure: .venv/installed-dev
	@$(BIN)/python -m microsite.cli.brochure $(if $(OUTPUT),--output "$(OUTPUT)") $(if $(PREVIEW),--preview "$(PREVIEW)")

clean:
	rm -rf .venv $(NODE_MODULES) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find microsite tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 ou plus récent est nécessaire ; ici : " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Installation dans .venv, une minute environ…"
	@$(PYTHON) -m venv .venv
	@$(PIP) --requirement requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@$(PIP) --requirement requirements-dev.txt
	@touch $@

# Tests that need what only npm brings are skipped where there is none.
$(NODE_MODULES)/installed: tests/browser/package-lock.json
	@if command -v npm >/dev/null; then cd tests/browser && npm ci --silent --omit=dev && touch node_modules/installed; \
	else echo "npm manque : les essais qui en ont besoin seront passés."; fi
