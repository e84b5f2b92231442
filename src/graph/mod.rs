//! The GraphQL schema, and the endpoint that executes it.
//!
//! A resolver checks the permission, parses its arguments, and calls `access`. The types of the
//! schema wrap types of the domain. The doc comments of resolvers are the descriptions in the
//! schema, which the IDE shows to API users.
//!
//! A nullable field returns `Option<Result<T>>`: an error makes only that field null.
//! `Result<Option<T>>` would make its parent null.

#![expect(clippy::unused_async, reason = "async-graphql requires resolvers to be async")]

mod access_tokens;
mod collect;
mod context;
mod date_time;
mod document;
pub mod endpoint;
pub mod execution;
mod expiration_time;
mod extension;
mod limits;
mod me;
mod merge;
mod organizations;
mod paging;
mod request;
mod response;
mod sdl;
mod selections;
mod source;
mod typename;
mod warning;

use std::sync::Arc;

use async_graphql::{EmptySubscription, MergedObject};

use crate::access::Access;

pub use self::sdl::sdl;

/// The root of all queries.
#[derive(Default, MergedObject)]
struct Query(me::MeQueries, organizations::OrganizationQueries);

/// The root of all mutations.
#[derive(Default, MergedObject)]
struct Mutation(access_tokens::AccessTokenMutations, organizations::OrganizationMutations);

/// The schema with its resolvers.
type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// Builds the schema. Without `access`, it can be exported, and documents can be validated.
fn schema(access: Option<Arc<Access>>) -> Schema {
    let schema = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .extension(extension::Control);
    match access {
        Some(access) => schema.data(access).finish(),
        None => schema.finish(),
    }
}
