//! Reads variables, and collects all mistakes in them.

use std::{collections::BTreeMap, fmt::Display};

/// The variables, with the mistakes that were found so far.
pub(super) struct Variables<'a> {
    values: &'a BTreeMap<String, String>,
    mistakes: Vec<String>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(values: &'a BTreeMap<String, String>) -> Self {
        Self { values, mistakes: Vec::new() }
    }

    /// Returns a variable, or `None` if it is empty or not set.
    pub(super) fn optional(&self, name: &str) -> Option<String> {
        self.values.get(name).filter(|it| !it.is_empty()).cloned()
    }

    /// Returns a variable. If it is empty or not set, adds a mistake and returns an empty text.
    pub(super) fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.mistakes.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// Returns the parsed value of a variable. If it is invalid, adds a mistake and returns `None`.
    pub(super) fn valid<T>(&mut self, name: &str, parsed: Result<T, impl Display>) -> Option<T> {
        parsed.map_err(|fault| self.mistakes.push(format!("{name}: {fault}"))).ok()
    }

    /// Returns `value`, which was read from the variables, or all mistakes in them.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<String>> {
        if self.mistakes.is_empty() { Ok(value) } else { Err(self.mistakes) }
    }
}
