# Two commands for a newcomer: `make demo` (no key, no download, no GPU) and `make test`.
# PYTHON names the interpreter that the environments are made with (3.10 or newer); LANES the lanes of
# tests/lanes.py that `make test` runs, all of them where it is empty.

PYTHON ?= python3
LANES ?=

VENV_PYTHON := .venv/bin/python
DEMO_STAMP := .venv/.demo-$(shell cksum < requirements.txt | cut -d' ' -f1)

# With it Python would not find what lies beside the script that it runs.
unexport PYTHONSAFEPATH

.PHONY: demo test newest lint bench clean help

help:
	@echo "make demo    enhance a prompt and invent values with the phrasebook"
	@echo "make test    every lane, or those in LANES   (QUILLWORK_SKIP_LANES=browser,proxy leaves some out)"
	@echo "make newest  the frontend and litellm of today instead of those that the lanes pin"
	@echo "make lint    ruff and mypy"
	@echo "make bench   every benchmark, each beside its baseline"
	@echo "make clean   remove the environments and caches"

demo: $(DEMO_STAMP)
	@echo '$$ python . enhance "a fox in the snow" --mode phrasebook'
	@$(VENV_PYTHON) . enhance "a fox in the snow" --mode phrasebook
	@echo '$$ python . variables season --count 5 --mode phrasebook'
	@$(VENV_PYTHON) . variables season --count 5 --mode phrasebook

$(DEMO_STAMP): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Quillwork needs Python 3.10 or newer: make PYTHON=python3.12 demo")'
	@$(VENV_PYTHON) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(VENV_PYTHON) -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

test:
	@$(PYTHON) tests/lanes.py $(LANES)

newest:
	@$(PYTHON) tests/lanes.py newest $(LANES)

lint:
	@$(PYTHON) tests/lanes.py lint

bench:
	@$(PYTHON) tests/lanes.py environment
	@for file in benchmarks/*.py; do echo "== $$file"; $(VENV_PYTHON) $$file || exit 1; done
	@QUILLWORK_BENCH_MODEL=1 $(PYTHON) tests/lanes.py models
	@.venv-gguf/bin/python benchmarks/prompt_craft.py --ideas 12 --model .venv-gguf/models/qwen2.5-coder-1.5b-instruct-q4.gguf

clean:
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
