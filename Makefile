# Every target that needs Python packages makes .venv first; see tools/install.py.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help bench test check report compare regress verify verify-cost verify-attention verify-gate verify-scale example list install clean

BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
FRAMEWORKS ?= torch tensorflow
SWEEP ?= quick
PYTHON ?= $(or $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $$python && break; done),$(error no Python 3.11 to 3.13 was found \
	(TensorFlow has no wheels for newer ones): install one, or name yours: PYTHON=path/to/python))

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

comma := ,
# Frameworks that are named are measured and no other, whatever else .venv holds.
NAMED := $(if $(filter command,$(origin FRAMEWORKS)),--framework $(subst $(eval) ,$(comma),$(strip $(FRAMEWORKS))))

# Names of branches are data: neither make nor the shell reads them.
override BASE := $(value BASE)
override HEAD := $(value HEAD)
export BASE HEAD

bench: install  ## measure a sweep on this machine and report on it [SWEEP=quick ARGS=...]
	@status=0; $(BIN)/layerbench run $(SWEEP) $(NAMED) $(ARGS) || status=$$?; \
	case $$status in 0|3) $(BIN)/layerbench report || status=$$?;; esac; exit $$status

test: check  ## check, then run the tests
	$(BIN)/pytest -n 2 --dist loadfile

check: install  ## format, lint, types and import floors
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

report: install  ## render a report of results [RUNS=...; the latest run if not said]
	@$(BIN)/layerbench report $(RUNS)

compare: need-A need-B install  ## set results side by side: A=... B=... [C=... ARGS=...]
	@$(BIN)/layerbench compare $(A) $(B) $(C) $(ARGS)

regress: need-BASE install  ## what head makes slower or hungrier: BASE=main [HEAD=... THRESHOLD=5% ARGS=...]
	@$(BIN)/layerbench regress --base "$$BASE" $(if $(HEAD),--head "$$HEAD") \
		--threshold "$${THRESHOLD:-5%}" $(NAMED) $(ARGS)

verify: install  ## prove that the figures are right [PROOFS="memory work"; all if not said]
	@$(BIN)/python -m harness.verify $(PROOFS)

verify-cost: install  ## what the harness costs, beside other tools
	@$(BIN)/python -m harness.verify cost

verify-attention: install  ## attention beside published results, and beside FlexAttention
	@$(BIN)/python -m harness.verify attention

verify-gate: install  ## what the gate misses, when it cries wolf, and what it costs (hours)
	@$(BIN)/python -m harness.verify gate-same gate-power gate-cost gate-real

verify-scale: install  ## how long a million rows, and a long history, take to be reported on
	@$(BIN)/python -m harness.verify scale

example: install  ## measure and render the example that comes with the project (a quarter of an hour)
	@$(BIN)/python -m tools.example

list: install  ## list layers, and which framework has which
	@$(BIN)/layerbench list

install:
	@$(PYTHON) tools/install.py --frameworks "$(FRAMEWORKS)"

clean:  ## remove .venv and caches; results and reports are kept
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .hypothesis .benchmarks
	find harness suites tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "results/ and reports/ are kept"

need-%:
	$(if $(value $*),,$(error $* is missing; usage: make compare A=RUN B=RUN, make regress BASE=REF))
	@:
