//! Lists by pages: Relay's connections, once for all nouns.

use std::{borrow::Cow, str::FromStr};

use async_graphql::{
    Object, OutputType, TypeName,
    connection::{Edge, EmptyFields, PageInfo},
};

use crate::error::{RequestFault, Result};

/// The largest page.
const LARGEST: usize = 100;

/// How large a page is where the client does not say.
pub(super) const USUAL: i32 = 50;

/// How many items a plain list is taken to have, for what it costs.
const PLAIN: usize = 10;

/// What a page costs: one, and the fields within it for each item that it may have.
pub(super) fn cost(first: i32, within: usize) -> usize {
    1 + usize::try_from(first).unwrap_or_default().clamp(1, LARGEST) * within
}

/// What a plain list costs: one, and the fields within it for each item.
pub(super) fn cost_of_list(within: usize) -> usize {
    1 + PLAIN * within
}

/// Which part of a list is asked for.
pub(super) struct Page {
    first: usize,
    after: Option<String>,
}

impl Page {
    /// Reads the arguments `first` and `after`.
    ///
    /// # Errors
    ///
    /// `Argument` unless `first` is from 0 to 100.
    pub(super) fn parse(first: i32, after: Option<String>) -> Result<Self> {
        let parsed = usize::try_from(first).ok().filter(|it| *it <= LARGEST);
        let fault =
            || RequestFault::Argument(format!("`first` is from 0 to {LARGEST}, not {first}"));
        Ok(Self { first: parsed.ok_or_else(fault)?, after })
    }

    /// How many items are asked for, at most.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The position after which the page begins.
    ///
    /// A cursor is a position and not an item: it stays valid when its item leaves the list.
    ///
    /// # Errors
    ///
    /// `Argument` for a cursor that is none of this list.
    pub(super) fn after<C: FromStr>(&self) -> Result<Option<C>> {
        let parse = |it: &String| it.parse().map_err(|_| unknown_cursor());
        Ok(self.after.as_ref().map(parse).transpose()?)
    }

    /// Makes the page of its items, each with its position in the list. `end` is where the next
    /// page begins: after the last item, or further on where a filter passed over others.
    pub(super) fn of<C: ToString, V: OutputType>(
        self,
        items: impl IntoIterator<Item = (C, V)>,
        (end, has_next): (Option<C>, bool),
    ) -> Connection<V> {
        let edges =
            items.into_iter().map(|(cursor, it)| Edge::new(cursor.to_string(), it)).collect();
        Connection {
            edges,
            has_previous: self.after.is_some(),
            has_next,
            end: end.map(|it| it.to_string()),
        }
    }
}

/// A page of a list. The library's own cannot say where to go on when the page has no items.
pub(super) struct Connection<V: OutputType> {
    edges: Vec<Edge<String, V, EmptyFields>>,
    has_previous: bool,
    has_next: bool,
    end: Option<String>,
}

impl<V: OutputType> TypeName for Connection<V> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", V::type_name()).into()
    }
}

#[Object(name_type)]
impl<V: OutputType> Connection<V> {
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

fn unknown_cursor() -> RequestFault {
    RequestFault::Argument("`after` is no cursor of this list: begin again without it".to_owned())
}
