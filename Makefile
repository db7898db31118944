# The two commands: `make run` and `make test`. Everything else is for those who work on onemap.
SHELL := /bin/bash
export PATH := $(HOME)/.cargo/bin:$(PATH)

data   := $(or $(ONEMAP_DATA),.onemap)
target := $(or $(CARGO_TARGET_DIR),target)
RUN_ARGS ?=

.PHONY: help run test dev bench bench-address conformance fuzz check clean

help:
	@echo "make run    install what is missing, build, start PostGIS in $(data), load the demo city, serve it"
	@echo "make test   all tests"
	@echo "make dev    the same as run, unoptimised: builds fast, runs slowly"
	@echo "make bench  the figures: tiles, features, memory; beside the peers where they are installed"
	@echo "make bench-address  address matching: exact, within 50 m, rejected, reliability, speed"
	@echo "make conformance  the standards' requirements, asked of a running server; desktop programs; hostile input"
	@echo "make fuzz   requests made from the OpenAPI documents, as each role, a key and nobody"
	@echo "make check  format, lints, licences and advisories"
	@echo "make clean  remove what was built (the data directory stays)"

run:
	@scripts/setup
	@t=$$SECONDS; cargo build --release && echo "run: the binary is there after $$((SECONDS - t)) s"
	@exec $(target)/release/onemap demo $(RUN_ARGS)

dev:
	@scripts/setup
	@cargo build
	@exec $(target)/debug/onemap demo $(RUN_ARGS)

test:
	@scripts/setup --test
	@t=$$SECONDS; npm test --prefix web --silent && cargo test --workspace && echo "test: all passed after $$((SECONDS - t)) s"

bench:
	@scripts/setup --test
	@cargo build --release
	@scripts/bench $(target)/release/onemap
	@python3 bench/spatial.py $(target)/release/onemap
	@python3 bench/overlay.py $(target)/release/onemap

# Sets of addresses that are not there are left out; the generated city always is.
bench-address:
	@cargo build --release -p onemap-address-quality
	@$(target)/release/onemap-address-quality --raw 100000 $(BENCH_ARGS)

# CONFORMANCE_ARGS="--only cql2 wms" runs a part.
conformance:
	@scripts/setup --test
	@cargo build
	@scripts/conformance $(target)/debug/onemap $(CONFORMANCE_ARGS)

# FUZZ_ARGS="--seconds 300 --roles auditor key" asks longer, as some.
fuzz:
	@scripts/setup --test
	@cargo build
	@scripts/fuzz-api $(target)/debug/onemap $(FUZZ_ARGS)

check:
	@scripts/setup --test
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	npm run typecheck --prefix web --silent
	scripts/check-licences
	scripts/check-advisories

clean:
	cargo clean
	rm -rf web/node_modules web/dist/*
