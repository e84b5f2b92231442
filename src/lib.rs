//! **ARM API**: the GraphQL API of an Attack Resistance Management platform.
//!
//! Users log in with a browser and get a session that lasts 40 minutes. The GraphQL IDE at
//! `/api` uses that session. Programs send an API token as `Authorization: Bearer …`. A token
//! lasts up to six months.
//!
//! # Architecture
//!
//! The crate consists of layers. A module uses only modules of lower layers, and no other module of
//! its own layer. `tests/it/architecture.rs` checks this and lists the exceptions. Most types of
//! the domain have a file in several layers, such as `domain/access_token.rs`,
//! `store/access_tokens.rs` and `graph/access_tokens.rs`. The table lists the layers from top to
//! bottom:
//!
//! | modules | responsibility |
//! |---|---|
//! | `bin/api.rs`, `bin/web.rs` | the two Lambda functions |
//! | `bin/local.rs`, `local` | local mode: the whole application on localhost with an embedded DynamoDB (feature `local`) |
//! | [`app`], [`routes`] | objects that live as long as the process; the routes and their middleware |
//! | [`identity`], [`graph`], [`web`] | logins with identity providers; the GraphQL schema and its execution; the pages and the IDE |
//! | [`access`] | authentication and authorization: sessions, API tokens, signing keys, access to organizations |
//! | [`mod@http`] | HTTP headers, bodies and cookies; the handler for Lambda events |
//! | [`error`] | the errors that clients receive |
//! | [`store`] | the DynamoDB table |
//! | [`secrets`] | reads from Secrets Manager |
//! | [`aws`] | clients for AWS services and other servers |
//! | [`clock`], [`entropy`], [`config`], [`telemetry`] | the time, random numbers, the environment variables, the log and the metrics |
//! | [`domain`] | types and rules of the domain, without I/O |
//!
//! # How a request is processed
//!
//! `POST /api` with an API token:
//!
//! 1. [`http::handler`] converts the Lambda event to an HTTP request.
//! 2. [`routes`] reads the clock once.
//! 3. [`access`] verifies the token without I/O.
//! 4. [`http::graphql`] parses the body.
//! 5. [`access`] reads the records of the token and its owner in one round trip.
//! 6. [`graph`] parses the query, checks its limits and executes it.
//! 7. [`error`] determines the code, reason and hint of each error.
//! 8. [`telemetry`] writes one log line.
//!
//! A login:
//!
//! 1. `GET /login/{provider}` stores a login attempt and redirects to the identity provider.
//! 2. `GET /callback` removes the attempt from the table, so it can be completed only once. The
//!    request must come from the browser that started it.
//! 3. [`identity`] exchanges the authorization code for an ID token and verifies it.
//! 4. [`access`] finds or creates the stakeholder and opens a session.
//!
//! # Invariants
//!
//! The parentheses name what enforces each invariant.
//!
//! - [`domain`] does no I/O and has no async code (`tests/it/architecture.rs`).
//! - A module uses only modules of lower layers (`tests/it/architecture.rs`).
//! - There are no cyclic dependencies between files (`tests/it/architecture.rs`).
//! - Only [`clock`] reads the time, only [`entropy`] generates random numbers, and only [`config`]
//!   reads the environment (`clippy.toml`).
//! - A request reads the clock once. All code below the handler receives the time as a parameter
//!   (`clippy.toml`, [`http::RequestContext`]).
//! - A login is matched to an account by the provider's issuer and subject, never by the email
//!   address alone (`tests/it/login_subject.rs`).
//! - If a provider owns the domain of an email address, other providers cannot claim the address
//!   (`tests/it/login_domains.rs`).
//! - Only [`domain::policy`] decides which role may perform which action
//!   (`tests/golden/policy.txt`, `tests/it/root_fields.rs`).
//! - Only [`store`] calls DynamoDB, and only [`store::key`] builds keys
//!   (`tests/it/architecture.rs`).
//! - Only [`error`] decides what clients learn about a failure. The cause is only logged (its unit
//!   tests).
//! - A secret is revealed only to its owner (cookies, the response of the mutation, the page of the
//!   token form) and to the identity provider that it is for. Private keys cannot be printed
//!   (`tests/it/architecture.rs`).
//! - No input causes a panic. If there is a panic anyway, the client still receives a response
//!   (clippy's `unwrap_used`, `expect_used` and `indexing_slicing`; `tests/it/headers.rs`,
//!   `tests/it/events/hostile.rs`).
//! - No code relies on `ttl`, because DynamoDB deletes expired records late. Code that reads a
//!   record checks its expiration time (tests that move the clock).

pub mod access;
pub mod app;
pub mod aws;
pub mod clock;
pub mod config;
pub mod domain;
pub mod entropy;
pub mod error;
pub mod graph;
pub mod http;
pub mod identity;
#[cfg(feature = "local")]
pub mod local;
pub mod routes;
pub mod secrets;
pub mod store;
pub mod telemetry;
pub mod web;
