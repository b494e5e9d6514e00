# What people and CI do with this repository. `make` lists it.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build check test test-long fuzz lint clean set-up browser interpreters

# set-up.sh puts the tools there, and perhaps cargo into a folder that is not on the PATH yet.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ftbench/tools/bin
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Some of each kind: the whole suite takes a quarter of an hour.
WORKLOADS := fib nbody sha256 counter_lock http_fetch

run: build interpreters ## install what is missing, build, and run a quick benchmark; WORKLOADS="..." ARGS="..." change it
	./target/release/ftbench run $(WORKLOADS) --profile quick $(ARGS)

build: set-up ## build ftbench with optimisations
	cargo build --release --locked

check: set-up lint ## within minutes: the checks of `lint`, unit and property tests, and one run on one interpreter
	cargo test --workspace --locked --lib --bins --test static --test builds --test corpus
	cargo test --workspace --locked --test e2e smoke

# Containers often forbid name spaces of users. A full disk is then shown by a limit on the size of files alone.
WITHOUT_MOUNTS = $(shell unshare --map-root-user --mount mount -t tmpfs none /mnt 2>/dev/null || \
	echo FTBENCH_SKIP_MOUNT_TESTS=1)

# What takes seconds to fail comes before what takes minutes.
test: set-up lint browser interpreters ## run the checks of `lint`, then all tests
	$(WITHOUT_MOUNTS) cargo test --workspace --locked --no-fail-fast
	scripts/workloads-page.py --check --ftbench target/debug/ftbench

test-long: build interpreters ## what takes an hour and a quiet machine: hundreds of faults, fuzzing, and proofs of what ftbench promises
	scripts/inject-faults.py
	scripts/fuzz.sh
	scripts/report-size.py target/release/ftbench
	scripts/history-size.py target/release/ftbench
	scripts/compare-aa.py
	scripts/thread-cases.py
	scripts/prove.py

fuzz: set-up ## look for input that breaks ftbench; ARGS="--seconds 60" for longer than a short look
	scripts/fuzz.sh $(ARGS)

lint: set-up ## check format and style of Rust, Python and shell
	cargo fmt --all --check
	$(TOOLS)/ruff check workloads harness/ftbench/src harness/worker scripts
	$(TOOLS)/ruff format --check workloads harness/ftbench/src harness/worker scripts
	$(TOOLS)/shellcheck scripts/*.sh .ci/run docs/ci/ftbench-nightly
	scripts/lint-workflows.sh
	scripts/import-circles.py
	cargo clippy --workspace --all-targets --locked -- -D warnings
	scripts/lint-native.sh

clean: ## remove what cargo built; the interpreters in the cache folder stay
	cargo clean

set-up:
	scripts/set-up.sh

browser:
	scripts/set-up.sh browser

interpreters:
	$(if $(FTBENCH_TEST_PYTHONS),,scripts/install-python.sh --newest-pair)
