//! The page with the list of organizations. Platform admins see all organizations, other users only
//! their own.

use askama::Template;
use axum::response::Response;
use http::Uri;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::{
    error::Result,
    http::form::Form,
    web::{assets, error_page::PageError, layout::Layout, logged_in::LoggedIn},
};

/// The path of the page.
const PATH: &str = "/orgs";

/// The query parameters of the page. They are also the variables of `organizations.graphql`.
#[derive(Serialize)]
struct Parameters {
    /// The end cursor of the previous page. `None` for the first page.
    after: Option<String>,
    /// The text that a name must contain. `None` for all organizations.
    search: Option<String>,
}

/// The data of `organizations.graphql`.
#[derive(Deserialize)]
struct Data {
    me: User,
    /// All organizations. `None` unless the user is a platform admin.
    organizations: Option<Connection>,
}

#[derive(Deserialize)]
struct User {
    organizations: Vec<Organization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Organization>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    end_cursor: Option<String>,
    has_next_page: bool,
}

/// An item of the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Organization {
    pub(super) name: String,
    pub(super) user_role: String,
}

#[derive(Template)]
#[template(path = "organizations.html")]
struct Page {
    layout: Layout,
    organizations: Vec<Organization>,
    /// Whether this is the list of all organizations, the only one that can be searched.
    is_searchable: bool,
    parameters: Parameters,
    /// The URL of the next page.
    next: Option<String>,
}

/// `GET /orgs`: shows one page of the list.
///
/// # Errors
///
/// `Request` if the cursor is not from this list; `Unavailable` if DynamoDB fails.
pub async fn show(uri: Uri, logged_in: LoggedIn) -> Result<Response, PageError> {
    let parameters = Parameters::from_uri(&uri);
    let document = include_str!("queries/organizations.graphql");
    let Data { me, organizations } = logged_in.query(document, &parameters).await?;
    let is_searchable = organizations.is_some();
    let (organizations, next) = match organizations {
        Some(all) => (all.nodes, parameters.next_page_url(all.page_info)),
        None => (me.organizations, None),
    };
    let layout = logged_in.layout();
    Ok(logged_in.render(&Page { layout, organizations, is_searchable, parameters, next })?)
}

impl Parameters {
    fn from_uri(uri: &Uri) -> Self {
        let query = Form::in_query(uri);
        let value = |name| query.get(name).filter(|it| !it.is_empty()).map(str::to_owned);
        Self { after: value("after"), search: value("search") }
    }

    /// Returns the URL of the next page, if there is one.
    fn next_page_url(&self, page: PageInfo) -> Option<String> {
        let after = page.end_cursor.filter(|_| page.has_next_page)?;
        Some(page_url(self.search.as_deref(), Some(&after)))
    }

    /// Returns the URL of the first page of the same search.
    fn first_page_url(&self) -> String {
        page_url(self.search.as_deref(), None)
    }
}

fn page_url(search: Option<&str>, after: Option<&str>) -> String {
    let fields = [("search", search), ("after", after)];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") }
}
