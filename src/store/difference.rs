//! The difference between two versions of a record.

use aws_sdk_dynamodb::types::{AttributeValue, builders::UpdateBuilder};

use crate::store::{
    StoreError, Versioned,
    item::{self, Item},
};

/// The attribute that counts the changes of a record.
const VERSION: &str = "version";

/// The attributes that differ between a record as it was read and the record to be written.
///
/// The same program serializes both. So an attribute that a newer version of the program added
/// to the stored item is in neither of them, and the update keeps it.
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

    /// Adds the changes to an update, which requires that the stored record has `version` and
    /// increments it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items() -> impl Strategy<Value = Item> {
        let attribute = (0..3_u8).prop_map(|it| AttributeValue::N(it.to_string()));
        proptest::collection::hash_map("[a-e]", attribute, 0..5)
    }

    /// Changes a stored item as DynamoDB would.
    fn change(mut stored: Item, difference: Difference) -> Item {
        stored.extend(difference.set);
        for name in &difference.remove {
            stored.remove(name);
        }
        stored
    }

    proptest! {
        #[test]
        fn a_difference_makes_the_new_record_of_the_old_one(before in items(), after in items()) {
            let unknown = ("unknown".to_owned(), AttributeValue::Bool(true));
            let with_unknown =
                |item: &Item| item.clone().into_iter().chain([unknown.clone()]).collect::<Item>();

            let difference = Difference::of(&before, after.clone());

            prop_assert_eq!(difference.is_empty(), before == after);
            prop_assert_eq!(change(with_unknown(&before), difference), with_unknown(&after));
        }

        #[test]
        fn a_difference_has_no_attribute_that_is_the_same(before in items(), after in items()) {
            let difference = Difference::of(&before, after);

            for (name, value) in &difference.set {
                prop_assert_ne!(before.get(name), Some(value));
            }
            for name in &difference.remove {
                prop_assert!(before.contains_key(name));
            }
        }
    }
}
