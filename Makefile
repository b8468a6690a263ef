# Thin on purpose: each recipe is what you would type. PYTHON=python3.12 make lab picks another Python.
PYTHON ?= python3
BIN := .venv/bin
export JUPYTER_CONFIG_PATH := $(CURDIR)/.jupyter
ROOT_USER := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lab test book run frameworks clean

lab: .venv/ready
	$(BIN)/jupyter lab $(ROOT_USER) --ServerApp.ip=127.0.0.1 --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/start/tour.ipynb

# Notebooks first, they take longest. Budgets and benchmarks run alone, after the rest: beside another job they measure the other job.
test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) book
	$(BIN)/pytest notebooks tests --ignore=tests/benchmarks --ignore=tests/notebooks --nbval-lax --nbval-sanitize-with=tests/notebooks/sanitize.cfg --nbval-cell-timeout=300 -n 2 --dist loadscope
	$(BIN)/pytest tests/notebooks tests/benchmarks -s

book: .venv/ready
	$(BIN)/jupyter-book build . --path-output book --all -W --keep-going

run: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False --NotebookExporter.preprocessors=nbconvert.preprocessors.CoalesceStreamsPreprocessor --log-level=ERROR $(NB)

# The last line compiles the hardware tools from WebAssembly, once: a minute or two that no notebook has to wait for.
.venv/ready: requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -r requirements.txt -c constraints.txt -e .
	$(BIN)/python -m dlcourse.hardware.synthesis
	touch $@

# Five gigabytes in two environments of their own: TensorFlow, JAX, Paddle … and Theano, MXNet, Chainer.
frameworks: .venv/ready
	$(BIN)/python notebooks/frameworks/contest/driver.py install

clean:
	rm -rf .venv book/_build
