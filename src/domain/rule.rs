//! Rules that a request can break. Each rule is a constant in the module of the type that it is
//! about.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// A rule that a request can break. Clients match on the code and the reason, so never rename
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `extensions.reason`.
    pub reason: &'static str,
    /// `extensions.code`.
    pub code: RuleCode,
    pub message: &'static str,
    /// `extensions.hint`: what is allowed, or what to do.
    pub hint: &'static str,
}

/// The code of a broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleCode {
    /// The user or the credential may not perform the action.
    Forbidden,
    /// An argument is wrong, or does not fit the state of the object.
    BadUserInput,
    /// The object does not exist, but the user can see the object that would contain it.
    NotFound,
}

/// The maximum number of objects of a kind is reached.
pub const LIMIT_REACHED: Rule = Rule {
    reason: "LIMIT_REACHED",
    code: RuleCode::Forbidden,
    message: "Exception - Limit reached",
    hint: "Remove something first.",
};

/// A broken rule, with the details of the request that broke it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", rule.message)]
pub struct BrokenRule {
    pub rule: &'static Rule,
    /// `extensions.hint`.
    pub hint: Cow<'static, str>,
    /// The other members of `extensions`.
    pub members: Map<String, Value>,
}

impl Rule {
    /// Creates the error for a request that broke this rule.
    #[must_use]
    pub fn broken(&'static self) -> BrokenRule {
        BrokenRule { rule: self, hint: Cow::Borrowed(self.hint), members: Map::new() }
    }
}

impl BrokenRule {
    /// Replaces the rule's hint with one that is specific to the request.
    #[must_use]
    pub fn with_hint(self, hint: String) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// Adds a member to `extensions`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}
