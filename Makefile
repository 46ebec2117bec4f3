# `make audit` and `make test` set up whatever they need in .venv the first time, and only then.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ZOO := .venv-zoo

.PHONY: audit test test-slow lint types unit bench gradient-report corpus identify-report profile-report test-zoo clean

audit: $(READY)
	$(BIN)/verifykit audit --format terminal --format markdown --output reports/ --fail-on never

test: lint types unit

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest --numprocesses 2 -m 'not slow'

test-slow: $(READY)
	$(BIN)/pytest -m slow

bench: $(READY)
	$(BIN)/pytest tests/benchmarks --benchmark-only --benchmark-group-by=group

gradient-report: $(READY)
	$(BIN)/python -m tests.benchmarks.gradient_report

# The planted bugs of tests/corpus/ and the modules of torch.nn, with the whole catalogue.
corpus: $(READY)
	$(BIN)/python -m tests.corpus.report

# What identification says of tests/identify/corpus/, of composite losses and of other people's classes.
identify-report: $(READY) $(ZOO)/.ready
	$(BIN)/python -m tests.identify.report

# What profiles measure, held against what is known; and CustomLinear beside nn.Linear at two sizes.
PROFILE := $(BIN)/verifykit profile reference_modules:CustomLinear --reference torch.nn:Linear --format markdown
profile-report: $(READY)
	$(PROFILE) --init input_dim=5 --init output_dim=3 --size N=10 --output reports/profile/CustomLinear-10x5.md
	$(PROFILE) --init input_dim=1024 --init output_dim=1024 --size N=256 --output reports/profile/CustomLinear-256x1024.md
	$(BIN)/python -m tests.benchmarks.profile_report

# Other people's packages, in an environment of their own.
test-zoo: $(ZOO)/.ready
	$(ZOO)/bin/python -m tests.zoo

$(ZOO)/.ready: tests/zoo/requirements.txt pyproject.toml constraints.txt
	$(PYTHON) -m venv $(ZOO)
	$(ZOO)/bin/python -m pip install --quiet --constraint constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(ZOO)/bin/python -m pip install --quiet "$$(grep '^torch==' constraints.txt)" --requirement tests/zoo/requirements.txt --editable .
	touch $@

clean:
	rm -rf $(VENV) $(ZOO) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# torch is asked for by its exact version before anything that depends on it: a range would bring
# the newest build, with gigabytes of CUDA, on machines where the pinned one is the CPU build.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "verifykit needs Python 3.11 or newer, this is %s: make PYTHON=python3.12" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
