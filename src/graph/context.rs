//! What a resolver can ask of the request that it answers.

use std::sync::Arc;

use async_graphql::Context;
use jiff::Timestamp;

use crate::{
    access::{
        Access,
        actor::{Actor, Visitor},
    },
    domain::policy::UserAction,
    error::{Error, Result},
    http::RequestContext,
};

/// What a resolver can ask of the request that it answers.
pub(super) trait Request {
    /// Whoever asks, if they may do this.
    ///
    /// # Errors
    ///
    /// `NoCredential` for nobody, `Denied` for who may not.
    fn permitted(&self, action: UserAction) -> Result<&Actor>;

    /// When the request came.
    fn now(&self) -> Result<Timestamp>;

    /// Sessions and tokens.
    fn access(&self) -> Result<&Access>;
}

impl Request for Context<'_> {
    fn permitted(&self, action: UserAction) -> Result<&Actor> {
        match self.data::<Visitor>().map_err(missing)? {
            Visitor::Nobody => Err(Error::NoCredential),
            Visitor::Somebody(actor) if actor.may(action) => Ok(actor),
            Visitor::Somebody(_) => Err(Error::Denied),
        }
    }

    fn now(&self) -> Result<Timestamp> {
        Ok(self.data::<RequestContext>().map_err(missing)?.now)
    }

    fn access(&self) -> Result<&Access> {
        Ok(self.data::<Arc<Access>>().map_err(missing)?)
    }
}

/// Something that the endpoint puts beside every request is not there.
fn missing(error: async_graphql::Error) -> Error {
    Error::internal(error.message)
}
