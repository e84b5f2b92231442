//! The extractor for pages that require a login.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{FromRef, FromRequestParts},
    response::{IntoResponse, Redirect, Response},
};
use http::{Method, header::SET_COOKIE, request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use url::form_urlencoded;

use crate::{
    access::actor::{Actor, Principal},
    domain::own_path::OwnPath,
    error::{Error, Result},
    http::{RequestContext, session_marker},
    web::{error_page, layout::Layout, site::Site},
};

/// A logged-in user and the context of their request.
///
/// A handler with this argument runs only for logged-in users. All other visitors are redirected to
/// the login page, and return to this page after they log in. If the method is not safe, one of our
/// own pages must have sent the request. The use of the session is recorded.
pub struct LoggedIn {
    pub(super) site: Arc<Site>,
    pub(super) actor: Arc<Actor>,
    pub(super) context: RequestContext,
    /// The path of the page, or the default path if the request submits a form.
    path: OwnPath,
}

impl<S> FromRequestParts<S> for LoggedIn
where
    Arc<Site>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(request: &mut Parts, state: &S) -> Result<Self, Response> {
        let site = Arc::from_ref(state);
        let path = return_path(request);
        match Self::authenticate(site, request, path.clone()).await {
            Ok(Some(logged_in)) => Ok(logged_in),
            Ok(None) => Err(redirect_to_login(&path)),
            Err(error) => Err(error_page::respond(&error)),
        }
    }
}

impl LoggedIn {
    /// Returns the user, or `None` if the session is missing or not valid.
    async fn authenticate(site: Arc<Site>, request: &Parts, path: OwnPath) -> Result<Option<Self>> {
        if !request.method.is_safe() {
            site.own_origins.check(&request.method, &request.headers)?;
        }
        let context = request.extensions.get::<RequestContext>();
        let context =
            context.ok_or_else(|| Error::internal("there is no request context"))?.clone();
        let actor = match site.authenticate(&request.headers, &context).await {
            Ok(Principal::Authenticated(actor)) => actor,
            Ok(Principal::Anonymous) | Err(Error::Refused(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        site.access.record_use(&actor.credential, context.now).await;
        Ok(Some(Self { site, actor, context, path }))
    }

    /// Returns the data for the layout of the page.
    pub(super) fn layout(&self) -> Layout {
        let api = self.site.public_url.api();
        Layout::new(&self.actor, api, self.path.clone(), self.context.now)
    }

    /// Queries the API for the user, without HTTP. The document is a file in `src/web/queries`. A
    /// test validates these files against the schema.
    ///
    /// # Errors
    ///
    /// The first error of a field, unless it is a denied permission and `T` does not need the
    /// field.
    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        document: &'static str,
        variables: impl Serialize,
    ) -> Result<T> {
        let principal = Principal::Authenticated(Arc::clone(&self.actor));
        self.site.endpoint.executor.execute(document, variables, principal, &self.context).await
    }

    /// Renders a page, and sets the cookie that marks a browser with a session.
    ///
    /// # Errors
    ///
    /// `Internal` if the template fails.
    pub(super) fn render(&self, page: &impl Template) -> Result<Response> {
        let marker = session_marker::set(self.site.public_url.is_https());
        Ok(([(SET_COOKIE, marker)], super::render(page)?).into_response())
    }
}

/// Returns the path to which users return after they log in: the path of the page, or the default
/// path for a form, because a redirect cannot submit it again.
fn return_path(request: &Parts) -> OwnPath {
    let is_page = matches!(request.method, Method::GET | Method::HEAD);
    let path = request.uri.path_and_query().filter(|_| is_page).map(ToString::to_string);
    path.and_then(|it| OwnPath::try_from(it).ok()).unwrap_or_default()
}

fn redirect_to_login(next: &OwnPath) -> Response {
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("next", next.as_str()).finish();
    Redirect::to(&format!("/?{query}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use rstest::rstest;

    #[rstest]
    #[case::a_page("GET", "/orgs?after=abc", "/orgs?after=abc")]
    #[case::a_page_without_its_body("HEAD", "/orgs", "/orgs")]
    #[case::a_form("POST", "/home/token", "/home")]
    #[case::another_site("GET", "https://arm.test//evil.test", "/home")]
    fn the_user_returns_to_the_page_after_the_login(
        #[case] method: &str,
        #[case] uri: &str,
        #[case] expected: &str,
    ) {
        let (request, ()) =
            Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();

        assert_eq!(return_path(&request).as_str(), expected);
    }

    #[test]
    fn the_path_is_encoded_in_the_url_of_the_login_page() {
        let next = OwnPath::try_from("/orgs?after=a&b".to_owned()).unwrap();

        let response = redirect_to_login(&next);

        assert_eq!(response.headers()["location"], "/?next=%2Forgs%3Fafter%3Da%26b");
    }
}
