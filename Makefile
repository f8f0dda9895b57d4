# `make demo` and `make test` do all the set-up themselves.
.DEFAULT_GOAL := help
SHELL := bash
export CARGO_TERM_COLOR ?= always

.PHONY: help demo up test fmt setup

help: ## Show this help.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

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

fmt: ## Format Rust and protos.
	cargo fmt --all
	.tools/bin/buf format -w proto
