# `make demo` and `make test` do all the set-up themselves.
.DEFAULT_GOAL := help
SHELL := bash
export CARGO_TERM_COLOR ?= always

.PHONY: help demo up test fmt setup crash-test crash-matrix crash-self-test bench bench-memory bench-sftp

help: ## Show this help.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 18

setup: ## Install what is missing.
	@scripts/setup tests

demo: ## A small world, three files, and what became of every return.
	@scripts/setup
	cargo build --workspace --bin echeck
	@target/debug/echeck demo

up: ## The whole stack in one process, until Ctrl-C.
	@scripts/setup
	cargo build --workspace --bin echeck
	@target/debug/echeck up

test: ## Format, lints, dependencies, protos, unit tests, end-to-end tests.
	@scripts/setup tests
	@scripts/test

# How many faults, and where every choice of the campaign comes from.
KILLS ?= 300
SEED ?= 20261121

crash-test: ## Kill everything at any moment (KILLS=300 SEED=20261121).
	@scripts/setup tests
	@scripts/crash run --kills $(KILLS) --seed $(SEED)

crash-matrix: ## Every failpoint with an abort, an error and a delay.
	@scripts/setup tests
	@scripts/crash matrix --seed $(SEED)

crash-self-test: ## Plant known bugs; the crash campaign must catch each.
	@scripts/setup tests
	@scripts/crash self-test --seed $(SEED)

bench: ## Compare an import with a psql script (docs/performance.md).
	@scripts/setup tests
	@scripts/bench

bench-memory: ## Peak memory for 1,000,000 returns (docs/performance.md).
	@scripts/setup tests
	@scripts/bench --memory

bench-sftp: ## How fast a file comes from a real sshd (docs/performance.md).
	@scripts/setup tests
	cargo test --release -p returns-sources --lib -- --ignored --nocapture sftp_throughput

fmt: ## Format Rust and protos.
	cargo fmt --all
	.tools/bin/buf format -w proto
