# Two commands do everything: `make run` and `make test`. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= out
# What `make fuzz` sends through a run, and which mutants.
PAGES ?= 10000
WARCS ?= 1000
SEED ?= 1

.PHONY: run test lint bench fuzz clean

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("babelwire needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-binary langdetect -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

run: .venv/.ready
	@$(BIN)/babelwire models add seeds/models --config seeds/demo.toml; \
	$(BIN)/babelwire run seeds/sources.toml --config seeds/demo.toml --output $(OUT); status=$$?; \
	if [ $$status -eq 5 ]; then status=0; fi; \
	[ $$status -eq 0 ] || exit $$status; \
	$(BIN)/babelwire query $(OUT) "SELECT lang, page_type, published_at, title, array_length(removed) AS cut FROM articles ORDER BY lang, title LIMIT 12"; \
	echo "Translated by models that know these sample pages and little else:"; \
	$(BIN)/babelwire query $(OUT) "SELECT lang, title, mt_title, mt_status FROM articles WHERE mt_lang = 'en' ORDER BY lang, title LIMIT 4"; \
	echo "All columns: pl.scan_parquet(\"$(OUT)/articles/**/*.parquet\"). Why a page came out as it did: $(BIN)/babelwire explain seeds/pages/el-limani.html"

test: .venv/.ready
	$(BIN)/python -m pytest

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.ready
	for script in tests/benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

fuzz: .venv/.ready
	$(BIN)/python tests/benchmarks/fuzz.py --pages $(PAGES) --warcs $(WARCS) --seed $(SEED)

clean:
	rm -rf .venv out
