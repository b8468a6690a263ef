# Thin on purpose: each recipe is what you would type. PYTHON=python3.12 make lab picks another Python.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: lab test book run clean

lab: .venv/ready
	$(BIN)/jupyter lab notebooks/start/tour.ipynb

test: .venv/ready
	$(BIN)/python -m tests

book: .venv/ready
	$(BIN)/jupyter-book build . --path-output book -W --keep-going

run: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False --log-level=ERROR $(NB)

.venv/ready: requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt -e .
	touch $@

clean:
	rm -rf .venv book/_build
