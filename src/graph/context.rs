//! The data of a request, as resolvers access it.

use std::sync::Arc;

use async_graphql::Context;
use jiff::Timestamp;

use crate::{
    access::{
        Access,
        actor::{Actor, Principal},
        loaders::Loaders,
    },
    domain::{
        organization::{OrganizationIdentifier, OrganizationRef},
        permitted::{AccessDenied, Permitted},
        policy::{ActionType, OrganizationAction, UserAction},
    },
    error::{Error, Result},
    graph::extension::Report,
    http::RequestContext,
};

/// Gives resolvers typed access to the data of the request.
pub(super) trait ContextExt {
    /// Returns the user.
    ///
    /// # Errors
    ///
    /// `NoCredential` without a credential.
    fn actor(&self) -> Result<&Arc<Actor>>;

    /// Returns the user if they may perform an action on the platform.
    ///
    /// # Errors
    ///
    /// `NoCredential` without a credential; `AccessDenied` unless the policy allows the action.
    fn authorize(&self, action: impl ActionType<Level = UserAction>) -> Result<&Arc<Actor>>;

    /// Returns an organization if the user may perform an action in it. The identifier is `None` if
    /// the client sent a text that is neither a valid name nor a valid ID.
    ///
    /// # Errors
    ///
    /// `NoCredential` without a credential; `AccessDenied` unless the policy allows the action, or
    /// if there is no such organization; `Unavailable` if DynamoDB fails.
    fn organization<A: ActionType<Level = OrganizationAction> + Send>(
        &self,
        identifier: Option<OrganizationIdentifier>,
        action: A,
    ) -> impl Future<Output = Result<Permitted<OrganizationRef, A>>> + Send;

    /// Returns the time at which the request arrived.
    fn now(&self) -> Result<Timestamp>;

    /// Returns the context of the request.
    fn request_context(&self) -> Result<&RequestContext>;

    /// Returns the service that authenticates users and checks their permissions.
    fn access(&self) -> Result<&Access>;

    /// Returns the report of the execution.
    fn report(&self) -> Result<&Report>;
}

impl ContextExt for Context<'_> {
    fn actor(&self) -> Result<&Arc<Actor>> {
        match self.data::<Principal>().map_err(missing)? {
            Principal::Anonymous => Err(Error::NoCredential),
            Principal::Authenticated(actor) => Ok(actor),
        }
    }

    fn authorize(&self, action: impl ActionType<Level = UserAction>) -> Result<&Arc<Actor>> {
        let actor = self.actor()?;
        actor.permit(action)?;
        Ok(actor)
    }

    async fn organization<A: ActionType<Level = OrganizationAction> + Send>(
        &self,
        identifier: Option<OrganizationIdentifier>,
        action: A,
    ) -> Result<Permitted<OrganizationRef, A>> {
        let actor = self.actor()?;
        let identifier = identifier.ok_or(AccessDenied)?;
        self.data::<Loaders>().map_err(missing)?.organization(actor, identifier, action).await
    }

    fn now(&self) -> Result<Timestamp> {
        Ok(self.request_context()?.now)
    }

    fn request_context(&self) -> Result<&RequestContext> {
        self.data::<RequestContext>().map_err(missing)
    }

    fn access(&self) -> Result<&Access> {
        Ok(self.data::<Arc<Access>>().map_err(missing)?)
    }

    fn report(&self) -> Result<&Report> {
        self.data::<Report>().map_err(missing)
    }
}

/// Converts the error for data that the executor should have added to the request.
fn missing(error: async_graphql::Error) -> Error {
    Error::internal(error.message)
}
