//! Lists: Relay connections, plain lists with a maximum length, and the cost of both.
//!
//! A field costs 1. This also applies to fields that read the database, since their reads are
//! batched or limited. The cost of the fields inside a connection is multiplied by `first`, that of
//! the fields inside a plain list by 10.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use async_graphql::{
    Context, Description, Object, OutputType, TypeName,
    connection::{Edge, EmptyFields, PageInfo},
};

use crate::{
    error::{Error, RequestFault, Result},
    graph::{context::ContextExt, warning::Warning},
    store::page::Page,
};

/// The maximum page size.
const MAX_PAGE: usize = 100;
/// The default page size.
pub(super) const DEFAULT_PAGE: i32 = 50;
/// The maximum number of items in a plain list.
pub(super) const MAX_LIST: usize = 500;
/// The maximum number of items in all plain lists of a response together.
const MAX_LIST_ITEMS: usize = 10_000;
/// The factor by which the cost of the fields inside a plain list is multiplied.
const LIST_FACTOR: usize = 10;

/// Returns the cost of a connection. `child_cost` is the cost of the fields inside it.
pub(super) fn cost_of_page(first: i32, child_cost: usize) -> usize {
    1 + usize::try_from(first).unwrap_or_default().min(MAX_PAGE) * child_cost
}

/// Returns the cost of a plain list. `child_cost` is the cost of the fields inside it.
pub(super) fn cost_of_list(child_cost: usize) -> usize {
    1 + LIST_FACTOR * child_cost
}

/// Truncates a plain list to [`MAX_LIST`] items, and adds a warning if there are more. For that,
/// the caller must read one item more than [`MAX_LIST`].
///
/// # Errors
///
/// [`RequestFault::ResultTooLarge`] if the plain lists of the response have more than 10,000 items
/// together.
pub(super) fn limit_plain_list<T>(ctx: &Context<'_>, mut items: Vec<T>) -> Result<Vec<T>> {
    let report = ctx.report()?;
    if items.len() > MAX_LIST {
        items.truncate(MAX_LIST);
        let path = serde_json::to_value(ctx.path_node).map_err(Error::internal)?;
        report.warn(Warning::list_truncated(path, MAX_LIST));
    }
    if report.count_items(items.len()) > MAX_LIST_ITEMS {
        return Err(RequestFault::ResultTooLarge { limit: MAX_LIST_ITEMS }.into());
    }
    Ok(items)
}

/// The arguments of a connection. Clients get positions as opaque cursors. A position stays valid
/// when items are inserted or removed, even if its own item is removed.
pub(super) struct PageArguments<P> {
    /// The page size, from 0 to 100.
    pub(super) first: usize,
    /// The position after which the page begins.
    pub(super) after: Option<P>,
}

impl<P: Display + FromStr + Clone> PageArguments<P> {
    /// Parses the arguments `first` and `after`.
    ///
    /// # Errors
    ///
    /// [`RequestFault::InvalidArgument`] if `first` is out of range, or `after` is not a cursor of
    /// the list.
    pub(super) fn parse(first: i32, after: Option<&str>) -> Result<Self> {
        let size = usize::try_from(first).ok().filter(|it| *it <= MAX_PAGE);
        let first = size.ok_or_else(|| RequestFault::InvalidArgument {
            argument: "first",
            hint: format!("`first` must be from 0 to {MAX_PAGE}, not {first}."),
        })?;
        let after = after.map(|it| it.parse().map_err(|_| invalid_cursor())).transpose()?;
        Ok(Self { first, after })
    }

    /// Converts a page to a connection. With `first: 0`, the connection is empty and `hasNextPage`
    /// tells whether there are items.
    pub(super) fn into_connection<V: ConnectionNode>(self, mut page: Page<V, P>) -> Connection<V> {
        let mut has_next = page.next.is_some();
        if self.first == 0 {
            has_next |= !page.records.is_empty();
            page = Page { records: Vec::new(), next: None };
        }
        let last = page.records.last().map(|(position, _)| position.clone());
        let end = page.next.or(last).or_else(|| self.after.clone());
        let edges = page.records.into_iter().map(|(at, it)| Edge::new(at.to_string(), it));
        let edges = edges.collect();
        Connection {
            edges,
            has_previous: self.after.is_some(),
            has_next,
            end: end.map(|it| it.to_string()),
        }
    }
}

fn invalid_cursor() -> Error {
    let hint = "`after` must be a cursor from the same list. Omit it to start from the beginning.";
    RequestFault::InvalidArgument { argument: "after", hint: hint.to_owned() }.into()
}

/// The type of the items of a connection.
pub(super) trait ConnectionNode: OutputType {
    /// The description of the connection, such as "A page of API tokens."
    const DESCRIPTION: &'static str;
}

/// A page of a list. Unlike async-graphql's connection, it can have an end cursor without items.
pub(super) struct Connection<V: ConnectionNode> {
    edges: Vec<Edge<String, V, EmptyFields>>,
    has_previous: bool,
    has_next: bool,
    end: Option<String>,
}

impl<V: ConnectionNode> TypeName for Connection<V> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", V::type_name()).into()
    }
}

impl<V: ConnectionNode> Description for Connection<V> {
    fn description() -> &'static str {
        V::DESCRIPTION
    }
}

#[Object(name_type, use_type_description)]
impl<V: ConnectionNode> Connection<V> {
    /// Information to aid in pagination.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.edges.first().map(|it| it.cursor.clone()),
            end_cursor: self.end.clone(),
        }
    }

    /// A list of edges.
    async fn edges(&self) -> &[Edge<String, V, EmptyFields>] {
        &self.edges
    }

    /// A list of nodes.
    async fn nodes(&self) -> Vec<&V> {
        self.edges.iter().map(|it| &it.node).collect()
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Response, Schema};
    use futures_util::FutureExt;
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::graph::extension::Report;

    struct Query;

    struct Item;

    #[Object]
    impl Query {
        async fn list(&self, ctx: &Context<'_>, length: usize) -> Result<Vec<Item>> {
            limit_plain_list(ctx, std::iter::repeat_with(|| Item).take(length).collect())
        }
    }

    #[Object]
    impl Item {
        async fn list(&self, ctx: &Context<'_>, length: usize) -> Result<Vec<Item>> {
            limit_plain_list(ctx, std::iter::repeat_with(|| Item).take(length).collect())
        }
    }

    fn execute(query: &str) -> (Response, Vec<Warning>) {
        let report = Report::default();
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let request = async_graphql::Request::new(query).data(report.clone());
        let response = schema.execute(request).now_or_never().unwrap();
        (response, report.take_warnings())
    }

    fn count(response: &Response, list: &str) -> usize {
        response.data.clone().into_json().unwrap()[list].as_array().unwrap().len()
    }

    #[test]
    fn a_list_of_500_items_is_complete() {
        let (response, warnings) = execute("{ list(length: 500) { __typename } }");

        assert_eq!(count(&response, "list"), 500);
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_longer_list_is_truncated_with_a_warning_that_has_its_path() {
        let (response, warnings) =
            execute("{ list(length: 2) { inner: list(length: 501) { __typename } } }");

        let inner = &response.data.into_json().unwrap()["list"][1]["inner"];
        assert_eq!(inner.as_array().unwrap().len(), 500);
        let warning = serde_json::to_value(&warnings[1]).unwrap();
        assert_eq!(warning["code"], "LIST_TRUNCATED");
        assert_eq!(warning["path"], json!(["list", 1, "inner"]));
    }

    #[rstest]
    #[case::exactly("{ list(length: 20) { list(length: 499) { __typename } } }", true)]
    #[case::more("{ list(length: 20) { list(length: 500) { __typename } } }", false)]
    fn the_lists_of_a_response_have_at_most_10_000_items(
        #[case] query: &str,
        #[case] is_within: bool,
    ) {
        let (response, _) = execute(query);

        assert_eq!(response.is_ok(), is_within);
        for error in &response.errors {
            let info = error.source::<Error>().unwrap().describe();
            assert_eq!(info.code, "BAD_USER_INPUT");
            assert_eq!(info.reason, Some("RESULT_TOO_LARGE"));
            assert_eq!(info.members["limit"], 10_000);
        }
    }

    #[rstest]
    #[case::no_items(0, 1)]
    #[case::ten_items(10, 31)]
    #[case::the_largest_page(100, 301)]
    #[case::more_than_allowed(1000, 301)]
    #[case::a_negative_number(-1, 1)]
    fn a_page_costs_its_fields_once_for_each_possible_item(
        #[case] first: i32,
        #[case] cost: usize,
    ) {
        assert_eq!(cost_of_page(first, 3), cost);
    }

    #[test]
    fn a_plain_list_costs_its_fields_ten_times() {
        assert_eq!(cost_of_list(3), 31);
    }
}
