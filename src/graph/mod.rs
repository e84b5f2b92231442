//! The GraphQL graph: what can be asked, and how it is answered.
//!
//! A resolver has three lines: parse, may, ask `access` or the store. Views are
//! newtypes over the nouns. Doc comments of resolvers are the schema's descriptions:
//! they are the IDE's DOCS pane, written for those who use the API.
//!
//! A field that may be null returns `Option<Result<T>>`: an error then makes that field
//! null, while `Result<Option<T>>` would null its parent.

#![expect(clippy::unused_async, reason = "async-graphql wants resolvers to be async")]

mod access_tokens;
mod answer;
mod collect;
mod context;
mod date_time;
mod document;
pub mod endpoint;
mod expiration_time;
mod limits;
mod me;
mod merge;
mod organizations;
mod paging;
mod phase;
mod source;
mod typename;

use std::sync::Arc;

use async_graphql::{EmptySubscription, MergedObject, SDLExportOptions};

use crate::access::Access;

/// What can be read.
#[derive(Default, MergedObject)]
struct Query(me::Queries);

/// What can be changed.
#[derive(Default, MergedObject)]
struct Mutation(access_tokens::Mutations);

/// The graph.
type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

fn schema(access: Option<Arc<Access>>) -> Schema {
    let schema = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .extension(phase::Observe);
    match access {
        Some(access) => schema.data(access).finish(),
        None => schema.finish(),
    }
}

/// The schema as text, in the stable order of its golden file.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items();
    schema(None).sdl_with_options(options)
}
