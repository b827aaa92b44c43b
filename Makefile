# Verbs, each of which makes .venv itself. PYTHON may name another interpreter, 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The tests start hundreds of processes, each of which would compile everything again.
unexport PYTHONDONTWRITEBYTECODE
# Most of a story is waiting, so more run at once than there are cores. Other tests compute, and to collect them takes each
# worker seconds.
WORKERS ?= $(shell expr 2 \* $$(nproc))
FEW_WORKERS ?= $(shell expr 2 + $$(nproc))
PYTEST := $(BIN)/python -m pytest
# What takes longest is told, so that it does not grow unseen.
LONGEST := --durations=12 --durations-min=10
MANY := -n $(WORKERS) --dist worksteal
FEW := -n $(FEW_WORKERS) --dist worksteal
# Beside the one above, which is 3.11 in CI.
PYTHONS ?= 3.13 3.14
# Tests of a browser, of images and of a cluster have verbs of their own.
EVERYWHERE := tests/unit tests/integration
# What the toolkit is; the embedded server, the operator and the sandbox have unit tests only there.
TOOLKIT := $(addprefix tests/integration/,informers rest controller events leaderelection processes testing)
TOOLKIT_UNIT := $(addprefix tests/unit/,rest informers workqueue events leaderelection controller typed crds rbac app testing processes) $(wildcard tests/unit/test_*.py)
# Long ones of the operator, which say nothing about a Python.
LONG_OPERATOR := $(addprefix --ignore=tests/unit/bitcoin/,test_crashes.py test_hostile.py test_reconcile.py test_specs.py)

.DEFAULT_GOAL := help
.PHONY: help demo test test-stories test-toolkit test-server test-operator test-unit bitcoind promtool chromium test-browser screenshots images dist test-bitcoind pythons test-pythons test-lowest controlplane controlplane-oldest test-real test-oldest test-election test-faults e2e reliability mutations chart chart-docs cover lint format types contracts check bench bench-controllers bench-scale bench-server clean

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

# uv installs in a tenth of pip's time; where it is not to be had, or finds no index, pip does it.
$(READY): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "btcctl needs Python 3.11 or newer: make PYTHON=python3.x")'
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt uv && \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]' || \
	  $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# Once, by one process: in a new tree each worker would compile every test by itself, a third of what `make test` costs.
# A failure is shown by the tests themselves.
COMPILE := --collect-only -qq tests/unit tests/integration > /dev/null || true
COMPILED := $(VENV)/.compiled
$(COMPILED): $(READY)
	@$(PYTEST) $(COMPILE)
	@touch $@

demo: $(READY) ## a cluster, the controller and a living 3-node network, checked from end to end
	$(BIN)/btcctl sandbox --nodes 3 --check

test: $(COMPILED) ## the tests for while one works: no real control plane, no browser, no whole story
	$(PYTEST) $(FEW) $(EVERYWHERE) -m "not real_server and not story"

test-stories: $(COMPILED) ## what starts whole sandboxes and programs, or goes through every step of something
	$(PYTEST) $(MANY) $(LONGEST) $(EVERYWHERE) -m "story and not real_server"

test-toolkit: $(COMPILED) ## of the above, informers to controllers
	$(PYTEST) $(FEW) $(TOOLKIT_UNIT) $(TOOLKIT) -m "not real_server and not story"

test-server: $(COMPILED) ## the embedded API server
	$(PYTEST) $(FEW) tests/unit/apiserver tests/integration/apiserver -m "not real_server and not story"

test-operator: $(COMPILED) ## the operator of networks
	$(PYTEST) $(FEW) tests/unit/bitcoin tests/integration/bitcoin -m "not real_server and not story"

test-unit: $(COMPILED) ## those that open no socket
	$(PYTEST) $(FEW) tests/unit

pythons: $(READY) ## get the other Pythons once, into the user's cache, and an environment for each: .venv-3.14
	@$(BIN)/python -m tests.pythons $(PYTHONS)

test-pythons: pythons ## unit tests, and the toolkit's integration tests, on each of the other Pythons
	@set -e; for version in $(PYTHONS); do echo "Python $$version:"; \
	  .venv-$$version/bin/python -m pytest $(COMPILE); \
	  .venv-$$version/bin/python -m pytest $(MANY) tests/unit $(LONG_OPERATOR) $(TOOLKIT) -m "not real_server and not kubectl and not helm"; done

test-lowest: $(READY) ## unit tests of what runs in a cluster, with the lowest versions that setup.cfg names
	@$(BIN)/python -m tests.lowest
	.venv-lowest/bin/python -m pytest $(MANY) $(addprefix tests/unit/,rest informers workqueue events leaderelection controller bitcoin) -m "not story" \
	  --deselect tests/unit/rest/kubeconfig/test_kubeconfig.py::test_what_is_wrong_is_said # for which the package kubernetes wants newer ones

bitcoind: $(READY) ## get a real bitcoind once, from Debian's packages, into the user's cache
	@$(BIN)/python -m tests.bitcoind

promtool: $(READY) ## get Prometheus' promtool once, from Debian's packages, into the user's cache
	@$(BIN)/python -m tests.promtool

chromium: $(READY) ## get a headless Chromium once, from Debian's packages, into the user's cache
	@$(BIN)/python -m tests.chromium

# One after the other: how long the page takes is measured.
test-browser: chromium ## the live page in a real browser; screenshots of its story in build/screenshots
	BTCCTL_TEST_REQUIRES="browser" $(PYTEST) tests/browser

screenshots: chromium ## the README's picture anew, out of a sandbox: docs/images/view.png
	@$(BIN)/python -m tests.browser

images: $(READY) bitcoind ## build both images, from Debian's packages where no base is named, and check them; needs root
	@$(BIN)/python -m tests.images

dist: controlplane bitcoind ## a release in dist/: packages, chart, manifests, images, checksums; built twice and compared
	@$(BIN)/python -m tests.release $(ARGS)

test-bitcoind: bitcoind ## tests with real nodes, and the sandbox's whole story told by them
	BTCCTL_TEST_REQUIRES="real_bitcoind" $(PYTEST) $(MANY) tests -m real_bitcoind
	$(BIN)/btcctl sandbox --nodes 3 --check --bitcoind auto

controlplane: $(READY) ## build etcd, the programs of Kubernetes, helm and CoreDNS once, into the user's cache
	@$(BIN)/python -m tests.integration.controlplane.build

test-real: controlplane ## tests against the real control plane, kubectl and helm
	BTCCTL_TEST_REQUIRES="kubectl helm" $(PYTEST) -n 2 --dist loadfile $(LONGEST) tests/integration -m "real_server or helm"

# Not the embedded server's conformance: it imitates the newest.
OLDEST := $(addprefix tests/integration/,informers rest controller leaderelection events bitcoin deployment typed webhooks app sandbox/test_real_control_plane.py)
controlplane-oldest: $(READY) ## build the API server and the controller manager of the oldest Kubernetes of docs/support.md
	@$(BIN)/python -m tests.integration.controlplane.build oldest

test-oldest: controlplane controlplane-oldest ## toolkit, operator, chart and the sandbox's story on the oldest Kubernetes
	TEST_ASSET_KUBE_APISERVER=$$($(BIN)/python -m tests.integration.controlplane.build oldest where)/kube-apiserver \
	  BTCCTL_TEST_REQUIRES="kubectl helm" $(PYTEST) -n $(shell expr 1 + $$(nproc)) --dist loadfile $(OLDEST) -m "real_server"

test-election: controlplane ## 52 rounds of leader election per server, with processes that are killed, paused and cut off
	BTCCTL_ELECTION_ROUNDS=52 $(PYTEST) tests/integration/leaderelection

test-faults: $(READY) ## every fault of docs/faults.md twice, at random points of 10,000 changes
	$(BIN)/python -m tests.faults

e2e: controlplane bitcoind ## the operator on a real kubelet, with our own images: all scenes of tests/cluster; needs root; ARGS="-k WORD" for some
	@$(BIN)/python -m tests.e2e $(ARGS)

reliability: $(READY) ## the same twenty times, silent faults with real deadlines, outages; writes docs/reliability.md
	$(BIN)/python -m tests.faults --runs 20 --real --outages 10 --write docs/reliability.md

.PHONY: test-chains
test-chains: $(READY) ## chains without volumes through all that Kubernetes does in good order; RUNS=20, ARGS=--real
	$(BIN)/python -m tests.chains --runs $(or $(RUNS),1) $(ARGS)

.PHONY: fuzz
fuzz: $(READY) ## odd requests to the embedded server, none of which may fail or cost much; REQUESTS=200000
	$(BIN)/python -m tests.fuzz --requests $(or $(REQUESTS),20000) $(ARGS)

mutations: $(READY) ## put faults into the toolkit, one at a time: a test must catch each
	$(BIN)/python -m tests.mutations --jobs $(shell nproc)

chart: $(READY) ## package the chart into dist/chart, with the index of a repository; URL= says where it will be served
	@$(BIN)/python -m tests.chart.packaging $(URL)

chart-docs: $(READY) ## write the chart's README and the schema of its values anew, from values.yaml
	$(BIN)/python -m tests.chart

.PHONY: docs
docs: $(READY) ## the pages of docs/ as a site in build/docs, to be read without a network; a broken link is an error
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --jobs auto -b html docs build/docs
	@echo "$(CURDIR)/build/docs/index.html"

cover: $(READY) ## coverage of the unit and integration tests
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## mypy --strict: the source, then the examples as their authors would, with the package installed
	$(BIN)/mypy
	cd examples && $(CURDIR)/$(BIN)/mypy --strict --config-file= --cache-dir $(CURDIR)/.mypy_cache/examples *.py

crd: $(READY) ## write crd.yaml and its copies anew from the classes in src/btcctl/bitcoin/definition
	$(BIN)/btcctl crds btcctl.bitcoin.definition.network > src/btcctl/bitcoin/crd.yaml
	cp src/btcctl/bitcoin/crd.yaml manifests/crd.yaml
	cp src/btcctl/bitcoin/crd.yaml helm/btcctl/files/crd.yaml

contracts: $(READY) ## the layers of ARCHITECTURE.md
	$(BIN)/lint-imports --config setup.cfg

check: lint types contracts test test-stories ## what CI runs first, and needs only Python

bench: $(READY) ## this library beside its rivals; ARGS=--quick for a short run, see docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

bench-controllers: controlplane ## one small operator in Go, with btcctl and kopf, on a real API server; ARGS=--quick
	$(BIN)/python -m benchmarks.controllers $(ARGS)

bench-scale: $(READY) ## the operator with 1,000 networks, settled, changed, restarted, growing; ARGS=--quick
	$(BIN)/python -m benchmarks.scale $(ARGS)

bench-server: $(READY) ## the embedded API server: the rooms that a request goes through, and what writes cost; ARGS="--beside DIR"
	$(BIN)/python -m benchmarks.apiserver jumps
	$(BIN)/python -m benchmarks.apiserver writes $(ARGS)

clean: ## remove .venv and every cache
	rm -rf $(VENV) .venv-3.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build .coverage .coverage.* src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
