//! Lists, read page by page.

use crate::store::{
    Record, Store, StoreError, cursor::Cursor, error::classify, item, key::KeyPrefix,
};

/// The key condition of the query.
const HAS_PREFIX: &str = "PK = :pk AND begins_with(SK, :prefix)";
/// The maximum number of records in a page.
const MAX_PAGE_SIZE: usize = 1000;

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

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The records, each with its position.
    pub records: Vec<(Cursor, T)>,
    /// The position after which more records follow. `None` at the end of the list.
    pub next: Option<Cursor>,
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
