//! **ARM API**: the GraphQL access of an Attack Resistance Management platform.
//!
//! People log in with a browser; a session lasts forty minutes. At `/api` they find a
//! GraphQL playground that works with that session. For anything longer they make an
//! API token, and send it as `Authorization: Bearer …`.
//!
//! # The house
//!
//! Floors look only downwards; rooms side by side do not know each other. A noun keeps
//! its file name on every floor.
//!
//! | floor | what it is for |
//! |---|---|
//! | `bin/api.rs`, `bin/web.rs` | the two Lambda functions, about ten lines each |
//! | `bin/local.rs`, `local` | the whole product on localhost, with an embedded DynamoDB (feature `local`) |
//! | [`app`], [`routes`] | what lives as long as the process; which path leads where |
//! | [`identity`], [`graph`], [`web`] | logins by identity providers; the GraphQL graph; the pages and the IDE |
//! | [`access`] | who is asking: sessions, API tokens, keys |
//! | [`mod@http`] | HTTP's vocabulary, and the handler for Lambda events |
//! | [`error`] | what a client may be told |
//! | [`store`] | the one DynamoDB table |
//! | [`clock`], [`entropy`], [`config`], [`telemetry`] | the one clock, the one source of randomness, the one reader of the environment, the one log line |
//! | [`aws`], [`secrets`] | how servers are reached; the one reader of Secrets Manager |
//! | [`domain`] | nouns and rules, pure |
//!
//! # How a request flows
//!
//! `POST /api` with a Bearer token: the Lambda event becomes a request
//! ([`http::event`]); the clock is read, once ([`routes`]); the form is checked
//! ([`http::graphql`]); the token is verified without I/O and its record read in one
//! round trip ([`access`]); the query is parsed and measured, and executed
//! ([`graph`]); errors get their codes in one place; one line is logged.
//!
//! A login: `GET /login/{provider}` writes down an attempt and leads to the provider;
//! `GET /callback` takes the attempt out, once, in the browser that began it; the code
//! becomes an ID token, which is verified; the stakeholder is found or enrolled, and a
//! session opened ([`identity`], [`access`]).
//!
//! # What always holds
//!
//! | invariant | kept by |
//! |---|---|
//! | [`domain`] does no I/O and is not async | `tests/it/architecture.rs` |
//! | floors look only downwards | `tests/it/architecture.rs` |
//! | only [`clock`] reads the time, only [`entropy`] makes randomness, only [`config`] reads the environment | `clippy.toml` |
//! | a request reads the clock once; `now` is data below the handler | `clippy.toml`, and [`http::RequestContext`] |
//! | who somebody is depends on a provider's issuer and subject, never on the address alone | `tests/it/login_subject.rs` |
//! | an address in a domain that a provider owns is taken from such a provider only | `tests/it/login_domains.rs` |
//! | only [`domain::policy`] decides who may do what | `tests/golden/policy.txt`, `tests/it/root_fields.rs` |
//! | only [`store`] speaks to DynamoDB; only [`store::key`] spells a key | `tests/it/architecture.rs` |
//! | only [`error`] decides what a client is told; the cause goes to the log | its unit tests |
//! | a secret leaves through `reveal`: to its owner in the cookies of a login and a session, in the mutation's answer, and on the page that a form without scripts leads to, to an identity provider in `identity/oauth.rs`; keys of the operator cannot be printed | `tests/it/architecture.rs` |
//! | no input makes us panic, and a panic is answered | clippy's `unwrap_used`, `expect_used`, `indexing_slicing`; `tests/it/headers.rs`, `tests/it/events/hostile.rs` |
//! | `ttl` is a broom, not a guard: readers check the record's own life | stories that move the clock |

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
