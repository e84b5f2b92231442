//! Logging out.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderName, HeaderValue, header::SET_COOKIE, request::Parts};

use crate::{
    access::actor::Principal,
    error::{Error, Result},
    http::{RequestContext, cookies::CookieName},
    web::{
        error_page::{self, PageError},
        site::Site,
    },
};

/// Tells the browser to delete the data that our pages stored. `"cookies"` would also delete the
/// cookies of other sites in the same registered domain.
const CLEAR_SITE_DATA: (HeaderName, HeaderValue) =
    (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"storage\""));

/// `POST /logout`: ends the session and deletes its cookie. The cookie is also deleted if the
/// session could not be ended.
///
/// # Errors
///
/// `CrossSite` if another site sent the request; `Request` if there are two session cookies. One of
/// them may have been planted, and the browser would use it after the other one is deleted. In both
/// cases, nothing is changed.
pub async fn submit(
    State(site): State<Arc<Site>>,
    Extension(context): Extension<RequestContext>,
    request: Parts,
) -> Result<Response, PageError> {
    site.own_origins.check(&request.method, &request.headers)?;
    site.access.cookies.get(CookieName::Session, &request.headers).map_err(Error::from)?;
    let mut response = match end_session(&site, &request, &context).await {
        Ok(()) => Redirect::to("/?logged-out").into_response(),
        Err(error @ (Error::Unavailable(_) | Error::Conflict)) => {
            error_page::respond(&Error::logout_incomplete(error))
        }
        Err(error) => error_page::respond(&error),
    };
    response.headers_mut().append(SET_COOKIE, site.access.cookies.delete(CookieName::Session));
    let (name, value) = CLEAR_SITE_DATA;
    response.headers_mut().insert(name, value);
    Ok(response)
}

async fn end_session(site: &Site, request: &Parts, context: &RequestContext) -> Result<()> {
    match site.authenticate(&request.headers, context).await {
        Ok(Principal::Authenticated(actor)) => site.access.end_session(&actor, context).await,
        Ok(Principal::Anonymous) | Err(Error::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
