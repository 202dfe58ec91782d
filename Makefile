# make demo    make the environment, install, fetch the models, and run the main job on a sample
# make studio  the same environment with what live use needs, then the studio in the browser
# make test    the same environment with the test extras, then lint and the whole suite
# make lint    ruff and mypy alone
# make bench   the benchmark table
# PYTHON=python3.12 chooses the interpreter the environment is made with.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PACKAGE := pyproject.toml

.PHONY: demo studio test lint bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/.demo
	$(BIN)/mien models pull
	$(BIN)/mien demo

studio: $(VENV)/.live
	$(BIN)/mien models pull
	$(BIN)/mien studio

# Two at a time: half of the suite waits for browsers and other processes.
test: lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV)

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
	  { echo "mien needs Python 3.10 to 3.13; $(PYTHON) is not one. Try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "No virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

# A stamp for each set of extras, so that a second run has nothing to install.
$(VENV)/.demo: $(VENV)/.made $(PACKAGE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(VENV)/.live: $(VENV)/.made $(PACKAGE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[live]'
	@touch $@

$(VENV)/.test: $(VENV)/.made $(PACKAGE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.demo $(VENV)/.live
