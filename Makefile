# Short names for common commands. `make help` lists them.

BENCHES = $(or $(CARGO_TARGET_DIR),target)/benches

.PHONY: help run test test-store deploy-local sam-local soak check bench golden calendar

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile

run: ## serve the application on http://localhost:3000; pass options with ARGS
	cargo run --locked --features local --bin local -- $(ARGS)

test: ## run all test suites; one suite: tests/run audits; live output: VERBOSE=1
	tests/run

calendar: ## run the suites on four other dates, up to 2039; some suites: SUITES="cargo login"
	tests/run --calendar $(SUITES)

test-store: ## run the tests of the store with Amazon's DynamoDB Local
	tests/run dynamodb-local

deploy-local: ## deploy the stack to an emulated AWS that enforces IAM, and test it
	tests/run deploy-local

sam-local: ## test the functions with `sam local` (Linux, as root)
	tests/run sam-local

soak: ## send 100,000 requests in 20 minutes while services fail; ARGS: --release, --seed SEED
	tests/suites/soak --requests 100000 --minutes 20 $(ARGS)

check: ## check format, lints, documentation, dependencies, JavaScript types and template
	cargo fmt --check
	for crate in hello lambda; do cargo fmt --check --manifest-path benches/$$crate/Cargo.toml || exit 1; done
	cargo clippy --locked --all-targets --test bootstrap --features local -- -D warnings
	cargo clippy --locked --lib --bins -- -D warnings
	cargo clippy --locked --manifest-path benches/lambda/Cargo.toml --target-dir $(BENCHES)/lambda -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps --document-private-items --features local
	tests/tools/deny
	tests/tools/types
	tests/suites/template lint

bench: ## run the benchmarks (see benches/README.md)
	benches/run
	cargo bench --locked --features local

golden: ## update the golden files; review the diff
	UPDATE_GOLDEN=1 cargo test --locked --features local --test it
