//! What resolvers read of the request.

use std::sync::Arc;

use async_graphql::Context;
use jiff::Timestamp;

use crate::{
    access::{
        Access,
        actor::{Actor, Principal},
    },
    domain::policy::UserAction,
    error::{Error, Result},
    graph::extension::Report,
    http::RequestContext,
};

/// What resolvers read of the request.
pub(super) trait Request {
    /// The user.
    ///
    /// # Errors
    ///
    /// `NoCredential` without a credential.
    fn actor(&self) -> Result<&Arc<Actor>>;

    /// The user, if they may perform an action on the platform.
    ///
    /// # Errors
    ///
    /// `NoCredential` without a credential; `AccessDenied` unless the policy allows the action.
    fn permitted(&self, action: UserAction) -> Result<&Arc<Actor>>;

    /// When the request arrived.
    fn now(&self) -> Result<Timestamp>;

    /// The context of the request.
    fn request(&self) -> Result<&RequestContext>;

    /// Credentials and what they are checked against.
    fn access(&self) -> Result<&Access>;

    /// What the execution reports beside its data.
    fn report(&self) -> Result<&Report>;
}

impl Request for Context<'_> {
    fn actor(&self) -> Result<&Arc<Actor>> {
        match self.data::<Principal>().map_err(missing)? {
            Principal::Anonymous => Err(Error::NoCredential),
            Principal::Authenticated(actor) => Ok(actor),
        }
    }

    fn permitted(&self, action: UserAction) -> Result<&Arc<Actor>> {
        let actor = self.actor()?;
        actor.permit(action)?;
        Ok(actor)
    }

    fn now(&self) -> Result<Timestamp> {
        Ok(self.request()?.now)
    }

    fn request(&self) -> Result<&RequestContext> {
        self.data::<RequestContext>().map_err(missing)
    }

    fn access(&self) -> Result<&Access> {
        Ok(self.data::<Arc<Access>>().map_err(missing)?)
    }

    fn report(&self) -> Result<&Report> {
        self.data::<Report>().map_err(missing)
    }
}

/// Converts the error of a value that the endpoint should have put beside the request.
fn missing(error: async_graphql::Error) -> Error {
    Error::internal(error.message)
}
