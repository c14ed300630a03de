# make walk      train the shipped config on this machine, replay, measure, report
# make test      lint, contracts, types and tests (20 minutes on two cores)
# make test-all  the same and every slow test: all compositions, fidelity, Warp (hours on two cores)
# make docs      the documentation as a site in build/site; fails on a broken link
# make docs-check every command of README and docs, as written, in a fresh clone (hours on two cores)
# make demo      replay the shipped policy, write its report, and tell what its device saves (2 minutes)
# make gpu       train with 4096 walkers on an NVIDIA GPU
# make gpu-check agreement, throughput, time to walk, memory and a profile on an NVIDIA GPU (8 minutes)
# make pictures  README's pictures of the present product (PICTURES="walker report compare": some; needs Chromium)
# make clean     remove the virtual environment and build leftovers (results/ stays)

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help walk test test-all docs docs-check demo gpu gpu-check no-gpu clean pictures opengl

VENV ?= .venv
RESULTS ?= results
CONFIG ?= configs/walk22_exo.json
FLAGS ?=
GPU_FLAGS ?= --env_params.num_envs 4096 --ppo_params.batch_size 8192 --total_timesteps 40000000

HAS_NVIDIA := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU && echo yes)
HAS_TPU := $(wildcard /dev/accel0)$(TPU_NAME)
EXTRAS := $(if $(HAS_NVIDIA),[cuda],$(if $(HAS_TPU),[tpu],[compiled]))
CLI := $(VENV)/bin/mjx-assist
CORE := $(VENV)/.installed-core
DEV := $(VENV)/.installed-dev
CUDA := $(VENV)/.installed-cuda
CUDA_DEV := $(VENV)/.installed-cuda-dev

help:
	@grep '^# make' Makefile | sed 's/^# //'

walk: $(CORE) opengl
	$(CLI) train $(CONFIG) --out $(RESULTS) $(FLAGS)
	@run=$$(ls -td $(RESULTS)/train_session_* | head -n 1); \
	$(CLI) evaluate "$$run" --model reduced --episodes 3 --json "$$run/evaluate_reduced.json"; \
	$(CLI) evaluate "$$run" --model full --episodes 2 --json "$$run/evaluate_full.json"; \
	$(CLI) report "$$run" -o "$$run/analyze_results"; \
	printf '%s\n' '' 'go on, in this shell or the next:' '  source $(VENV)/bin/activate' "  mjx-assist replay $$run" \
	    "or without it:" "  $(CLI) replay $$run"

demo: $(CORE) opengl
	$(CLI) demo -o $(RESULTS)/demo

gpu: $(CUDA) opengl
	$(MAKE) walk FLAGS="$(GPU_FLAGS) $(FLAGS)"

# Nothing is installed where there is no GPU to check; GPU_CHECK_FLAGS=--cpu shows that the check itself works.
GPU_CHECK_FLAGS ?= --docs
gpu-check: $(if $(findstring --cpu,$(GPU_CHECK_FLAGS)),$(DEV),$(if $(HAS_NVIDIA),$(CUDA_DEV),no-gpu))
	$(VENV)/bin/python benchmarks/gpu_check.py --out $(RESULTS)/gpu_check $(GPU_CHECK_FLAGS)

no-gpu:
	@echo "make gpu-check needs an NVIDIA GPU and nvidia-smi -L lists none; GPU_CHECK_FLAGS=--cpu runs it at its smallest on the CPU" >&2; exit 2

test: $(DEV)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/basedpyright --pythonpath $(VENV)/bin/python
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile

test-all: test
	XLA_FLAGS= $(VENV)/bin/python -m pytest -n 2 --dist loadfile -m slow

PICTURES ?=
pictures: $(DEV) opengl
	$(VENV)/bin/python docs/draw_pictures.py $(PICTURES)

docs: $(DEV)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict
	@echo "build/site/index.html"

# DOCS_FLAGS='--only REGEX' checks some; --list shows what would be typed.
DOCS_FLAGS ?=
docs-check: $(VENV)/bin/python
	$(VENV)/bin/python docs/checks/run_commands.py --out $(RESULTS)/docs_check $(DOCS_FLAGS)

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache

$(CORE): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --no-compile -e '.$(EXTRAS)'
	touch $@

$(DEV): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --no-compile -e '.[dev]'
	touch $@

$(CUDA): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --no-compile -e '.[cuda]'
	touch $@

$(CUDA_DEV): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --no-compile -e '.[cuda,dev]'
	touch $@

# The newest Python there is, 3.11 or later. Debian keeps venv in a package of its own: add it if we may.
$(VENV)/bin/python:
	@python=""; \
	for name in $${PYTHON:-} python3 python3.13 python3.12 python3.11; do \
	    if command -v $$name >/dev/null && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or later is needed; set PYTHON=/path/to/python3" >&2; exit 2; fi; \
	if ! $$python -c 'import ensurepip' 2>/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && apt-get install -y -qq python3-venv) >/dev/null 2>&1 </dev/null || true; \
	fi; \
	echo "making $(VENV) with $$($$python --version)"; \
	$$python -m venv $(VENV) || { rm -rf $(VENV); echo "could not make $(VENV): is python3-venv installed?" >&2; exit 2; }

# Off-screen OpenGL for the report's picture of the walker; without it the report shows stick figures.
opengl:
	@if [ "$$(uname)" = Linux ] && ! ldconfig -p 2>/dev/null | grep -q -e libOSMesa -e libEGL_nvidia \
	    && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    (apt-get update -qq && apt-get install -y -qq --no-install-recommends libosmesa6) >/dev/null 2>&1 </dev/null || true; \
	fi
