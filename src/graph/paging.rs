//! Lists by pages: Relay's connections, once for all nouns.

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

    /// Cuts the page out of the whole list; the cursor of an item is its id.
    ///
    /// # Errors
    ///
    /// `Argument` for a cursor that is none of this list.
    pub(super) fn of<V: OutputType>(
        self,
        items: Vec<V>,
        id: impl Fn(&V) -> &str,
    ) -> Result<Connection<String, V>> {
        let begin = match &self.after {
            None => 0,
            Some(cursor) => 1 + items.iter().position(|it| id(it) == cursor).ok_or_else(unknown_cursor)?,
        };
        let has_next = items.len() > begin + self.first;
        let mut connection = Connection::new(begin > 0, has_next);
        let page = items.into_iter().skip(begin).take(self.first);
        connection.edges.extend(page.map(|it| Edge::new(id(&it).to_owned(), it)));
        Ok(connection)
    }
}

fn unknown_cursor() -> RequestFault {
    RequestFault::Argument("`after` is no cursor of this list: begin again without it".to_owned())
}
