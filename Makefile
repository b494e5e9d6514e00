# The tasks of contributors and CI. `make` lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build check test test-long fuzz lint dist clean set-up browser slurm interpreters

# set-up.sh installs the tools there, and may install cargo into a folder that is not on the PATH yet.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ftbench/tools/bin
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A selection of all kinds, because the whole suite takes half an hour.
WORKLOADS := fib nbody sha256 counter_lock http_fetch

run: build interpreters ## install what is missing, build, and run a quick benchmark; change it with WORKLOADS="..." ARGS="..."
	./target/release/ftbench run $(WORKLOADS) --profile quick $(ARGS)

build: set-up ## build ftbench with optimisations
	cargo build --release --locked

check: set-up lint ## run the checks of `lint`, unit and property tests, and a run on one interpreter, in minutes
	cargo test --workspace --locked --lib --bins --test static --test builds --test corpus
	cargo test --workspace --locked --test e2e smoke

# Containers often forbid user name spaces. The tests then simulate a full disk only by a limit on file sizes.
WITHOUT_MOUNTS = $(shell unshare --map-root-user --mount mount -t tmpfs none /mnt 2>/dev/null || \
	echo FTBENCH_SKIP_MOUNT_TESTS=1)

# Many tests wait for processes.
TEST_THREADS := $(shell expr 2 \* $$(nproc))

# Steps that fail within seconds come before those that take minutes.
test: set-up lint browser slurm interpreters ## run the checks of `lint`, then all tests
	$(WITHOUT_MOUNTS) RUST_TEST_THREADS=$(TEST_THREADS) cargo test --workspace --locked --no-fail-fast
	scripts/workloads-page.py --check --ftbench target/debug/ftbench

test-long: build slurm interpreters ## inject hundreds of faults, fuzz, and check ftbench's promises; takes an hour on a quiet machine
	scripts/inject-faults.py
	scripts/fuzz.sh
	scripts/report-size.py target/release/ftbench
	scripts/history-size.py target/release/ftbench
	scripts/fleet-size.py target/release/ftbench
	cargo test --workspace --locked --test e2e -- --ignored fleet::
	scripts/fleet-shown.py
	scripts/compare-aa.py
	scripts/thread-cases.py
	scripts/wrong-calls.py
	scripts/known-causes.py
	scripts/prove.py

fuzz: set-up ## look for input that breaks ftbench; ARGS="--seconds 60" for a longer search
	scripts/fuzz.sh $(ARGS)

# Not the stored runs, which earlier versions wrote.
TEXT_FILES := '*.rs' '*.py' '*.sh' '*.md' '*.html' '*.js' '*.css' '*.toml' '*.yml' Makefile .ci .github docs/ci ':!results'

lint: set-up ## check format and style of Rust, Python and shell, and the words of all text
	cargo fmt --all --check
	$(TOOLS)/ruff check workloads harness/ftbench/src harness/worker docs scripts
	$(TOOLS)/ruff format --check workloads harness/ftbench/src harness/worker docs scripts
	$(TOOLS)/shellcheck scripts/*.sh .ci/run docs/ci/ftbench-nightly
	scripts/lint-workflows.sh
	scripts/import-circles.py
	files=$$(git ls-files -- $(TEXT_FILES)) && $(TOOLS)/codespell --config scripts/codespell.cfg $$files
	cargo clippy --workspace --all-targets --locked -- -D warnings
	scripts/lint-native.sh

dist: set-up ## make the files of a release in dist/; PARTS="wheel" or PARTS="source" makes only these
	scripts/dist.sh $(PARTS)

clean: ## remove what cargo built, but not the interpreters in the cache folder
	cargo clean

set-up:
	scripts/set-up.sh

browser:
	scripts/set-up.sh browser

slurm:
	scripts/set-up.sh slurm

interpreters:
	$(if $(FTBENCH_TEST_PYTHONS),,scripts/install-python.sh --newest-pair)
