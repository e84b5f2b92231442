# Thin aliases: every command can as well be typed by hand. `make help` lists them.

BENCHES = $(or $(CARGO_TARGET_DIR),target)/benches

.PHONY: help run test test-store deploy-local sam-local soak check bench golden calendar

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile

run: ## the whole product on http://localhost:3000; options in ARGS
	cargo run --locked --features local --bin local -- $(ARGS)

test: ## every suite; a suite alone: tests/run audits; live output: VERBOSE=1
	tests/run

calendar: ## every suite on four other days, up to 2039; SUITES="cargo login" runs these alone
	tests/run --calendar $(SUITES)

test-store: ## the store's tests against Amazon's DynamoDB Local
	tests/run dynamodb-local

deploy-local: ## the stack on a local AWS that enforces IAM, walked through
	tests/run deploy-local

sam-local: ## `sam local` with a container engine of its own; needs root
	tests/run sam-local

soak: ## 20 minutes, 100,000 requests and more, of many people while things fail; options in ARGS: --release, --seed
	tests/suites/soak --requests 100000 --minutes 20 $(ARGS)

check: ## format, lints, documentation, dependencies, types of JavaScript, template
	cargo fmt --check
	for crate in hello naive lambda; do cargo fmt --check --manifest-path benches/$$crate/Cargo.toml || exit 1; done
	cargo clippy --locked --all-targets --test bootstrap --features local -- -D warnings
	cargo clippy --locked --lib --bins -- -D warnings
	cargo clippy --locked --manifest-path benches/lambda/Cargo.toml --target-dir $(BENCHES)/lambda -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --locked --no-deps --document-private-items --features local
	tests/tools/deny
	tests/tools/types
	tests/suites/template lint

bench: ## the function beside a hello world and a naive build, then its parts: benches/README.md
	benches/run
	cargo bench --locked --features local

golden: ## writes the golden files anew: read the diff
	UPDATE_GOLDEN=1 cargo test --locked --features local --test it
