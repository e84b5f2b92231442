//! Lists by pages: Relay's connections, once for all nouns.

use std::str::FromStr;

use async_graphql::{
    OutputType,
    connection::{Connection, Edge},
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
        let fault = || RequestFault::Argument(format!("`first` is from 0 to {LARGEST}, not {first}"));
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

    /// Makes the page of its items, each with its position in the list.
    pub(super) fn of<C: ToString, V: OutputType>(
        self,
        items: impl IntoIterator<Item = (C, V)>,
        has_more: bool,
    ) -> Connection<String, V> {
        let mut connection = Connection::new(self.after.is_some(), has_more);
        connection.edges.extend(items.into_iter().map(|(cursor, it)| Edge::new(cursor.to_string(), it)));
        connection
    }
}

fn unknown_cursor() -> RequestFault {
    RequestFault::Argument("`after` is no cursor of this list: begin again without it".to_owned())
}
