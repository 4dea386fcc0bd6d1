# facesieve: everything a person types. `make` alone lists it.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first Python 3.11 found; PYTHON=/path/to/python3.11 names another.
PYTHON ?= $(firstword $(foreach name,python3.11 python3 python,$(shell \
    $(name) -c 'import sys; print("$(name)" if sys.version_info[:2] == (3, 11) else "")' 2>/dev/null)) python3)
BIN := .venv/bin
READY := .cache/setup.stamp
WITH := . conf/setup/environment.sh &&
BOOTSTRAP = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3,))' 2>/dev/null \
    || { echo "No Python 3.11 here ($(PYTHON)): install it, or name it with PYTHON=/path/to/python3.11." >&2; exit 1; }; \
    $(PYTHON) conf/setup/bootstrap.py
UV := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: --no-annotate \
    --no-emit-index-url --custom-compile-command 'make lock'
SIEVE := $(BIN)/spark-submit jobs/sieve.py --config conf/pipeline.toml

##@ Use
setup: ## virtual environment, Java if there is none, jars, model, photographs; repeated, a moment
	@$(BOOTSTRAP)

demo: $(READY) ## the whole job on real photographs with planted faults, and what it found
	@$(WITH) $(BIN)/python tests/demo/plant.py
	@$(WITH) $(SIEVE) --overlay conf/env/demo.toml
	@$(WITH) $(BIN)/python tests/demo/compare.py

run: $(READY) ## the job: make run ARGS="--set images.root=... --set lake.root=..."
	@$(WITH) $(SIEVE) $(ARGS)

report: $(READY) ## a page of a finished run: make report ARGS="--out DIR --set lake.root=... [--pictures]"
	@$(WITH) $(BIN)/spark-submit jobs/report.py --config conf/pipeline.toml $(ARGS)

##@ Work on it
AT_ONCE ?= 2
TESTS := $(BIN)/python -m pytest tests -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder
test: $(READY) ## the tests, two files at once (AT_ONCE=1: one); skipped ones are counted at the end, each with its reason
	@$(WITH) $(TESTS) -m "not long" $(ARGS)

test-long: $(READY) ## the long tests that `make test` leaves out: kills in every step, more forms, whole jobs over and over
	@$(WITH) $(TESTS) -m long $(ARGS)

# .ci/run leaves the fast tests out of this (FAST=), since all tests follow there.
FAST := yes
check: $(READY) docs ## style, types, layers, documentation, fast tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy lib jobs conf/setup tests
	@$(WITH) $(BIN)/lint-imports --no-logo
	@$(if $(FAST),$(WITH) $(BIN)/python -m pytest tests -m "not spark and not cluster and not store and not browser")

docs: $(READY) ## build/site/: the documentation as web pages; a broken link or a page that nothing leads to fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site

bench: $(READY) ## benchmarks of the whole job and of clustering, each printing ratios against a peer
	@$(WITH) for name in cluster_lfw lfw killed; do $(BIN)/python tests/bench/$$name.py || exit 1; done

bench-embed: $(READY) ## models and images: throughput, detector, alignment, hostile files, memory of the workers, many files
	@$(WITH) for name in embed_throughput "embed_throughput --model mobilefacenet" detection alignment hostile_files \
	    many_files worker_memory; do set -- $$name; script=$$1; shift; $(BIN)/python tests/bench/$$script.py "$$@" || exit 1; done

bench-link: $(READY) ## the link step at a million faces, against FAISS, MLlib and itself (over an hour)
	@$(WITH) $(BIN)/python tests/bench/link.py $(ARGS)

bench-cluster: $(READY) ## clustering: quality on LFW, the step against kernels and peers, supersteps at a million edges
	@$(WITH) for name in structure attachment calibration coins cluster_lfw "cluster_lfw --below 0 --peers --coins 1" "supersteps --coins 1"; do \
	    set -- $$name; script=$$1; shift; $(BIN)/python tests/bench/$$script.py "$$@" || exit 1; done

bench-decide: $(READY) ## decisions: noise, flips, cut folders, copies and protected people planted in LFW; a million images
	@$(WITH) for name in "noise facenet --peer" "noise mobilefacenet --peer" look_first planted_images overlap duplicates copies million; do \
	    set -- $$name; script=$$1; shift; $(BIN)/python tests/bench/$$script.py "$$@" || exit 1; done

bench-check: $(READY) ## what benchmarks have noted in build/bench, held to the thresholds of tests/bench/targets.toml
	@$(BIN)/python tests/bench/results.py

build: $(READY) ## dist/: the wheel, and the same as facesieve.zip for --py-files
	@$(BIN)/python conf/setup/build.py

pack: $(READY) ## dist/facesieve-env.tar.gz: what executors import, for --archives (some minutes)
	@$(BIN)/python conf/setup/pack.py

lock: ## conf/setup/*.lock anew from pyproject.toml (needs uv): make lock ARGS=--upgrade
	@$(UV) pyproject.toml --extra dev --extra docs --extra formats --extra onnx --extra litert --group setup -o conf/setup/requirements.lock $(ARGS)
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"])' \
	    | $(UV) - --no-deps -o conf/setup/bench.lock $(ARGS)

.PHONY: page
page: ## the plot libraries of the report's page anew, and axe-core for its tests (needs node and npm)
	@mkdir -p .cache/page && cp conf/page/package.json conf/page/package-lock.json .cache/page/
	@cd .cache/page && npm ci --ignore-scripts --no-audit --no-fund --silent
	@node conf/page/vendor.mjs .cache/page/node_modules lib/facesieve/assess/report_page/assets

clean: ## remove what was built and computed; the environment and the downloads stay
	@rm -rf build dist spark-warehouse metastore_db derby.log .mypy_cache .ruff_cache .pytest_cache \
	    .import_linter_cache .hypothesis
	@find lib jobs tests conf -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): $(wildcard conf/setup/*.py conf/setup/*.lock) $(if $(wildcard $(BIN)/python),,FORCE)
	@$(BOOTSTRAP)

FORCE:

.PHONY: setup demo run report test test-long check docs lock bench bench-embed bench-link bench-cluster bench-decide bench-check build clean help FORCE
