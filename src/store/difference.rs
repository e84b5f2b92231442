//! What changes between two versions of a record.

use aws_sdk_dynamodb::types::{AttributeValue, builders::UpdateBuilder};

use crate::store::{
    StoreError, Versioned,
    item::{self, Item},
};

/// The attribute that counts the changes of a record.
const VERSION: &str = "version";

/// The attributes that differ between a record as it was read and as it is to be.
///
/// Both are serialized by the same program. So an attribute that a newer version of the program
/// added to the stored item is in neither, and is not touched.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    set: Vec<(String, AttributeValue)>,
    remove: Vec<String>,
}

impl Difference {
    /// Compares two versions of a record. Their versions are not compared.
    pub(super) fn between<T: Versioned>(before: &T, after: &T) -> Result<Self, StoreError> {
        Ok(Self::of(&item::write(before)?, item::write(after)?))
    }

    fn of(before: &Item, after: Item) -> Self {
        let mut remove: Vec<_> =
            before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
        let is_changed = |(name, value): &(String, AttributeValue)| before.get(name) != Some(value);
        let mut set: Vec<_> =
            after.into_iter().filter(|(name, _)| name != VERSION).filter(is_changed).collect();
        remove.sort_unstable();
        set.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self { set, remove }
    }

    /// Whether nothing differs.
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }

    /// Adds the changes to an update, which also counts them: it requires the stored record to
    /// have `version`.
    pub(super) fn apply(self, update: UpdateBuilder, version: u64) -> UpdateBuilder {
        let number = |it: u64| AttributeValue::N(it.to_string());
        let mut update = update
            .condition_expression("#version = :version")
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_values(":version", number(version))
            .expression_attribute_values(":next", number(version + 1));
        let mut set = vec!["#version = :next".to_owned()];
        for (index, (name, value)) in self.set.into_iter().enumerate() {
            set.push(format!("#s{index} = :s{index}"));
            update = update.expression_attribute_names(format!("#s{index}"), name);
            update = update.expression_attribute_values(format!(":s{index}"), value);
        }
        let mut remove = Vec::new();
        for (index, name) in self.remove.into_iter().enumerate() {
            remove.push(format!("#r{index}"));
            update = update.expression_attribute_names(format!("#r{index}"), name);
        }
        let set = format!("SET {}", set.join(", "));
        let expression =
            if remove.is_empty() { set } else { format!("{set} REMOVE {}", remove.join(", ")) };
        update.update_expression(expression)
    }
}
