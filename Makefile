# The two commands are `make demo` and `make test`. Both share one build of the dependencies, and keep it with the models in a
# cache folder that survives a fresh clone.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := demo

CARGO ?= cargo
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/runlore
export CARGO_TARGET_DIR ?= $(CACHE)/target
export RUNLORE_SHARED ?= $(abspath ../shared)
RUNLORE := $(CARGO_TARGET_DIR)/debug/runlore

# One selection for everything, so that cargo resolves features once and nothing is built twice.
SELECTION := --workspace --lib --bins --tests
# What the tests could not run for want of something outside the repository, one line each.
export RUNLORE_NOT_RUN := $(CARGO_TARGET_DIR)/not-run.txt

.NOTPARALLEL:
.PHONY: demo test eval bench soak proof fuzz audit lint build check prerequisites test-tools run-tests test-eval clean-cache

demo: prerequisites
	scripts/fetch-models chat-1.5b embed onnxruntime
	$(CARGO) build $(SELECTION)
	$(RUNLORE) demo
	@if [ -t 0 ] && [ -t 1 ]; then $(RUNLORE) --config $(CACHE)/demo/runlore.toml chat; fi

# Cheap checks first.
test: prerequisites lint test-tools build run-tests test-eval
	@if [ -s $(RUNLORE_NOT_RUN) ]; then echo "$$(wc -l <$(RUNLORE_NOT_RUN)) not run:"; sed 's/^/not run: /' $(RUNLORE_NOT_RUN); fi

prerequisites:
	@scripts/check-prerequisites

lint: prerequisites
	$(CARGO) fmt --all --check
	python3 fixtures/generate.py --check
	CARGO=$(CARGO) scripts/check-tls
	CARGO=$(CARGO) scripts/check-dependencies
	$(CARGO) clippy --workspace --all-targets -- -D warnings

build: prerequisites
	$(CARGO) build $(SELECTION)

# What the tests need besides the prerequisites; each takes no time when it is there.
test-tools: prerequisites
	scripts/fetch-models chat-0.5b chat-1.5b embed onnxruntime
	scripts/test-venv
	scripts/test-postgres-install
	scripts/test-slack-install
	scripts/test-slack-sdk
	scripts/test-discord-sdk

# The doc tests come first: a runner's last lines are read for the number of tests.
run-tests: build
	@rm -f $(RUNLORE_NOT_RUN)
	$(CARGO) test --workspace --doc
	@if $(CARGO) nextest --version >/dev/null 2>&1; then set -x; $(CARGO) nextest run $(SELECTION) --no-fail-fast; \
	else set -x; $(CARGO) test $(SELECTION) --no-fail-fast; fi

# Where the real questions are there: the typed commands, all without a model, a dozen with it. `make eval` asks them all.
test-eval: build
	@if [ -f $(RUNLORE_SHARED)/eval/questions.jsonl ]; then set -x; \
	  scripts/eval --typed tests/data/typed-commands.jsonl; scripts/eval --none; scripts/eval --first 12; \
	else echo "evaluation: no eval/questions.jsonl in $(RUNLORE_SHARED)" >>$(RUNLORE_NOT_RUN); fi

eval: prerequisites
	scripts/fetch-models chat-1.5b embed onnxruntime
	$(CARGO) build $(SELECTION)
	scripts/eval --typed tests/data/typed-commands.jsonl
	scripts/eval

# Longer than CI has time for: hundreds of kills under traffic, thousands of sends of which nobody knows how they ended, 500 briefs.
soak: prerequisites
	scripts/test-slack-install
	scripts/test-discord-sdk
	$(CARGO) build $(SELECTION)
	PROPTEST_CASES=10000 $(CARGO) test $(SELECTION) -- outgoing::tests::properties
	RUNLORE_MEMORY_MINUTES=60 $(CARGO) test $(SELECTION) -- --nocapture memory_stays
	RUNLORE_SLACK_KILLS=300 RUNLORE_DISCORD_KILLS=300 RUNLORE_SENDS=30000 $(CARGO) test $(SELECTION) -- --nocapture kills_under_traffic ambiguous_sends
	RUNLORE_BRIEFS=500 $(CARGO) test $(SELECTION) -- --nocapture generated_briefs

# The proof of non-interference in a hundred thousand cases, and the puppet with fifteen hundred strings: about an hour.
proof: build
	RUNLORE_PROOF_CASES=100000 RUNLORE_PUPPET_STRINGS=1500 $(CARGO) test $(SELECTION) -- --nocapture proof::what_may_not puppet::

# Five minutes for each of the doors through which strangers' text comes in; CI gives each 30 seconds.
fuzz: prerequisites
	$(CARGO) build $(SELECTION)
	RUNLORE_FUZZ_SEED=0 RUNLORE_FUZZ_S=300 $(CARGO) test $(SELECTION) -- --nocapture fuzz::

# Licences, sources and bans as in lint, and the database of known mistakes where it can be fetched.
audit: prerequisites
	CARGO=$(CARGO) scripts/check-tls
	CARGO=$(CARGO) scripts/check-dependencies --advisories

bench: prerequisites
	scripts/fetch-models embed onnxruntime
	$(CARGO) bench --workspace --profile dev

# Models, builds and test installations; the next command fetches and builds all again.
clean-cache:
	@echo "removing $(CACHE)"
	@rm -rf "$(CACHE)"
