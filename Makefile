# `make demo` and `make test` install what they need.
.DEFAULT_GOAL := help
SHELL := bash
export CARGO_TERM_COLOR ?= always

.PHONY: help demo up test test-more fmt setup fuzz outages mutants crash-test crash-matrix crash-self-test bench bench-quick bench-reads bench-shares bench-telemetry bench-memory bench-start bench-sftp bench-landing bench-engines bench-day bench-growth bench-webhooks bench-parser test-clients test-packages test-upgrade sbom

help: ## Show this help.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 18

test-packages: ## The Debian package, the image's root and the bill of materials (needs root).
	@scripts/setup tests
	packaging/deb/test
	packaging/image/test
	packaging/sbom

sbom: ## The bill of materials of each program (CycloneDX).
	@scripts/setup
	packaging/sbom

setup: ## Install what is missing.
	@scripts/setup tests

# Where else the demo puts its world (DEMO="--data FOLDER").
DEMO ?=

demo: ## A small world, three files, and the outcome of every return.
	@scripts/setup
	cargo build --workspace --bin echeck
	@target/debug/echeck demo $(DEMO)

up: ## Run the whole stack in one process, until Ctrl-C.
	@scripts/setup
	cargo build --workspace --bin echeck
	@target/debug/echeck up

# --without-advisories where there is no advisory database (scripts/check-dependencies).
ADVISORIES ?=

test: ## Everything that must hold before a change lands.
	@scripts/setup tests
	@scripts/test $(ADVISORIES)

test-more: ## Adapters and 100 kills on a real MySQL, and the gem on Rails 7.2 (2 GB, kept in ~/.cache/echeck).
	@scripts/setup tests
	@KILLS=100 SEED=$(SEED) scripts/test-more

# The number of faults, and the seed of every choice of the campaign.
KILLS ?= 300
SEED ?= 20261121

crash-test: ## Kill everything at random moments (KILLS=300 SEED=20261121).
	@scripts/setup tests
	@scripts/crash run --kills $(KILLS) --seed $(SEED)

crash-matrix: ## Test every failpoint with an abort, an error and a delay.
	@scripts/setup tests
	@scripts/crash matrix --seed $(SEED)

crash-self-test: ## Plant known bugs; the crash campaign must catch each.
	@scripts/setup tests
	@scripts/crash self-test --seed $(SEED)

# How many seconds each target of the fuzzer runs, and which if not all.
FOR ?= 30
TARGET ?=

fuzz: ## Fuzz every parser (FOR=30 TARGET=nacha).
	@scripts/setup tests
	@scripts/fuzz --seconds $(FOR) $(TARGET)

outages: ## Break everything, and record in docs/alerts.md how soon each alert came.
	@scripts/setup tests
	@cargo build --workspace --all-targets
	@scripts/outages

mutants: ## Change the code that money hangs on; the tests must notice (docs/guarantees.md).
	@scripts/setup tests
	@scripts/mutants

bench: ## Compare an import with a psql script (docs/performance.md).
	@scripts/setup tests
	@scripts/bench

bench-quick: ## Every measurement once and small, with the programs of a debug build.
	@scripts/setup tests
	cargo build --workspace --bins
	@ECHECK_PROGRAMS=$(CURDIR)/target/debug scripts/bench --quick --no-build --out -

bench-reads: ## Measure reads of transfers (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --reads

bench-shares: ## Measure reads beside imports (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --shares

bench-telemetry: ## Measure what traces and numbers cost an import (docs/performance.md).
	@scripts/setup tests
	@.tools/bin/pip install --quiet rotel==0.0.1a15
	@scripts/bench --telemetry

test-upgrade: ## An upgrade from an older version under calls (COMMIT=…).
	@scripts/setup tests
	@scripts/servers start
	@scripts/test-upgrade $(COMMIT)

test-clients: ## The chart, the clients, and the adapter in Python; they need the binaries.
	cargo build --workspace --bins
	@helm/test && clients/ruby/test && clients/python/test && examples/adapter-python/test

bench-memory: ## Measure peak memory for 1,000,000 returns (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --memory

bench-start: ## Measure how fast it starts, and how large the programs are (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --start

bench-sftp: ## Measure how fast a file comes from a real sshd (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --sftp

bench-landing: ## Measure how soon a file that lands is done (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --landing

bench-engines: ## Measure imports into MariaDB and SQLite (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --engines

bench-day: ## Measure 2,000,000 returns in one file (docs/performance.md; 12 GB).
	@scripts/setup tests
	@scripts/bench --day

bench-growth: ## Measure what a return costs as everything grows (docs/performance.md; 20 GB).
	@scripts/setup tests
	@scripts/bench --growth

bench-webhooks: ## Measure how fast messages are delivered (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --webhooks

bench-parser: ## Measure what reading a file costs, without and with JSON (docs/performance.md).
	@scripts/setup tests
	cargo build --bin echeck
	@scripts/parser-cost --time

fmt: ## Format Rust and protos.
	cargo fmt --all
	.tools/bin/buf format -w proto
