//! Lists, read page by page.

use crate::store::{
    Record, Store, StoreError, cursor::Cursor, error::classify, item, key::KeyPrefix,
};

/// The key condition of the query.
const HAS_PREFIX: &str = "PK = :pk AND begins_with(SK, :prefix)";
/// The maximum number of records in a page.
const MAX_PAGE_SIZE: usize = 1000;
/// The maximum number of reads for one page of a filtered list.
const MAX_READS: u32 = 5;

/// The part of a list to read.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The maximum number of records, from 1 to 1000.
    pub limit: usize,
    /// The position after which the page begins. `None` for the first page.
    pub after: Option<Cursor>,
    pub direction: Direction,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// By ascending sort key: oldest first, if the sort keys contain ULIDs.
    Ascending,
    /// By descending sort key.
    Descending,
}

/// A page of a list, with positions of type `P`.
#[derive(Debug)]
pub struct Page<T, P = Cursor> {
    /// The records, each with its position.
    pub records: Vec<(P, T)>,
    /// The position after which more records may follow. `None` at the end of the list.
    pub next: Option<P>,
}

impl<T, P: Clone> Page<T, P> {
    /// Converts the records. Stops at the first that cannot be converted.
    ///
    /// # Errors
    ///
    /// The errors of `convert`.
    pub fn try_map<U, E>(self, convert: impl Fn(T) -> Result<U, E>) -> Result<Page<U, P>, E> {
        let records = self.records.into_iter().map(|(at, it)| Ok((at, convert(it)?)));
        Ok(Page { records: records.collect::<Result<_, E>>()?, next: self.next })
    }

    /// Reads up to `limit` matching records after the position `after`.
    ///
    /// `read(position, count)` must return the records that follow `position`, without gaps. `count`
    /// is the number of records that are still needed: `read` may return fewer or more.
    ///
    /// Calls `read` at most five times, because a filter that few records match would otherwise
    /// read the whole list. If that finds too few records, the page is shorter, or empty, and has
    /// a `next`.
    ///
    /// # Errors
    ///
    /// The errors of `read`.
    pub async fn read_filtered<F, E>(
        limit: usize,
        after: Option<P>,
        read: impl Fn(Option<P>, usize) -> F,
        matches: impl Fn(&T) -> bool,
    ) -> Result<Self, E>
    where
        F: Future<Output = Result<Self, E>>,
    {
        let mut found = Self { records: Vec::new(), next: after };
        for _ in 0..MAX_READS {
            // One more than the limit, to find out whether more follow.
            let count = limit + 1 - found.records.len();
            let page = read(found.next.take(), count).await?;
            found.records.extend(page.records.into_iter().filter(|(_, it)| matches(it)));
            found.next = page.next;
            if found.records.len() > limit || found.next.is_none() {
                break;
            }
        }
        if found.records.len() > limit {
            found.records.truncate(limit);
            found.next = found.records.last().map(|(position, _)| position.clone());
        }
        Ok(found)
    }
}

impl Store {
    /// Reads a page of the records whose keys begin with `prefix`, with a consistent read.
    ///
    /// A page has fewer records than its limit if they exceed 1 MB in total. Logs and omits
    /// records that cannot be read.
    ///
    /// Costs one `Query`, which reads one record more than the limit to find out whether more
    /// follow.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when DynamoDB fails.
    pub async fn page<T: Record>(
        &self,
        prefix: &KeyPrefix,
        request: &PageRequest,
    ) -> Result<Page<T>, StoreError> {
        let limit = request.limit.clamp(1, MAX_PAGE_SIZE);
        let query = self.client.query().table_name(&self.table);
        let query = query
            .key_condition_expression(HAS_PREFIX)
            .set_expression_attribute_values(Some(prefix.values()))
            .set_exclusive_start_key(request.after.as_ref().map(|it| prefix.key_at(it)))
            .scan_index_forward(request.direction == Direction::Ascending)
            .consistent_read(true)
            .limit(i32::try_from(limit + 1).unwrap_or(i32::MAX));
        let response = query.send().await.map_err(classify)?;
        let mut items = response.items.unwrap_or_default();
        let has_more = items.len() > limit || response.last_evaluated_key.is_some();
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).and_then(|it| prefix.cursor_of(it));
        let records = items
            .into_iter()
            .filter_map(|it| Some((prefix.cursor_of(&it)?, item::read_or_log(it)?)));
        Ok(Page { records: records.collect(), next })
    }
}
