//! What resolvers read of the request.

use std::sync::Arc;

use async_graphql::Context;
use jiff::Timestamp;

use crate::{
    access::{
        Access,
        actor::{Actor, Principal},
        organizations::Loaders,
    },
    domain::{
        organization::{OrganizationIdentifier, OrganizationRef},
        permitted::{AccessDenied, Permitted},
        policy::{OrganizationAction, UserAction},
    },
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

    /// Checks that the user may perform an action in an organization. `None` stands for a text
    /// that cannot identify an organization.
    ///
    /// # Errors
    ///
    /// `NoCredential` without a credential; `AccessDenied` unless the policy allows the action, or
    /// if there is no such organization; `Unavailable` when DynamoDB fails.
    fn organization(
        &self,
        identifier: Option<OrganizationIdentifier>,
        action: OrganizationAction,
    ) -> impl Future<Output = Result<Permitted<OrganizationRef>>> + Send;

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

    async fn organization(
        &self,
        identifier: Option<OrganizationIdentifier>,
        action: OrganizationAction,
    ) -> Result<Permitted<OrganizationRef>> {
        let actor = self.actor()?;
        let identifier = identifier.ok_or(AccessDenied)?;
        self.data::<Loaders>().map_err(missing)?.organization(actor, identifier, action).await
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
