//! Tests that use the product as its users do: over HTTP, with an embedded DynamoDB and a clock
//! that the test moves.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a failed test panics"
)]

mod access_tokens;
mod architecture;
mod arguments;
mod audit;
mod authorization;
mod csrf;
mod documents;
mod endpoint;
mod events;
mod faults;
mod fuzz;
mod given;
mod golden;
mod headers;
mod jwt;
mod kms;
mod limits;
mod local;
mod login;
mod login_domains;
mod login_start;
mod login_store;
mod login_subject;
mod logs;
mod me;
mod memory;
mod operations;
mod organizations;
mod pages;
mod races;
mod renewal;
mod repeated_fields;
mod requests;
mod retention;
mod root_fields;
mod sessions;
mod signing;
mod store;
mod store_capacity;
mod store_changes;
mod store_embedded;
mod store_lists;
mod template;
mod token_form;
mod token_list;
mod wycheproof;
