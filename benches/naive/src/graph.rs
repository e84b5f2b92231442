//! The part of the schema that is measured.

use std::sync::Arc;

use async_graphql::{Context, EmptySubscription, Object, Result, Schema, SimpleObject};

use crate::tokens::{Person, Tokens};

pub(crate) type Graph = Schema<Query, Mutation, EmptySubscription>;

pub(crate) fn graph(tokens: Arc<Tokens>) -> Graph {
    Schema::build(Query, Mutation, EmptySubscription).data(tokens).finish()
}

pub(crate) struct Query;

#[Object]
impl Query {
    async fn me(&self, ctx: &Context<'_>) -> Result<Me> {
        let person = ctx.data::<Person>()?;
        let access_token =
            format!(r#"{{"hasAccessToken": true, "issuedAt": "{}"}}"#, person.issued_at);
        Ok(Me { user_email: person.email.clone(), role: person.role.clone(), access_token })
    }
}

#[derive(SimpleObject)]
pub(crate) struct Me {
    user_email: String,
    role: String,
    access_token: String,
}

pub(crate) struct Mutation;

#[Object]
impl Mutation {
    async fn update_access_token(
        &self,
        ctx: &Context<'_>,
        expiration_time: i64,
    ) -> Result<Payload> {
        let (tokens, person) = (ctx.data::<Arc<Tokens>>()?, ctx.data::<Person>()?);
        Ok(Payload { session_jwt: tokens.issue(person, expiration_time).await?, success: true })
    }
}

#[derive(SimpleObject)]
pub(crate) struct Payload {
    session_jwt: String,
    success: bool,
}
