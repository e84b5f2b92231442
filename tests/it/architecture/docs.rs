//! Finds public items without a doc comment.
//!
//! The lint `missing_docs` also requires a doc comment for each field and variant, where it often
//! only repeats the name. Only types, traits, functions and constants need one here.

/// The keywords of these items, after `pub`.
const KEYWORDS: [&str; 7] = ["struct", "enum", "trait", "fn", "const", "static", "type"];

/// Returns the first lines of the public items without a doc comment.
pub(super) fn undocumented(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_undocumented = |at: &usize| is_public_item(lines[*at]) && !is_documented(&lines[..*at]);
    (0..lines.len()).filter(is_undocumented).map(|at| lines[at]).collect()
}

fn is_public_item(line: &str) -> bool {
    let after_pub = line.strip_prefix("pub ").map(|it| it.trim_start_matches("async "));
    let keyword = after_pub.and_then(|it| it.split(' ').next());
    keyword.is_some_and(|it| KEYWORDS.contains(&it))
}

/// Returns whether the lines before an item end with a doc comment, which attributes may follow. In
/// a macro, `$(#[$meta])*` contains the doc comment.
fn is_documented(before: &[&str]) -> bool {
    let mut is_in_attribute = false;
    for line in before.iter().rev() {
        if line.starts_with("#[doc = ") {
            return true;
        }
        if line.starts_with("#[") {
            is_in_attribute = false;
        } else if line.ends_with(")]") {
            is_in_attribute = true;
        } else if !is_in_attribute {
            return line.starts_with("///") || line.starts_with("$(#[");
        }
    }
    false
}

#[test]
fn an_item_without_a_doc_comment_is_found() {
    let text = "/// A type.\n#[expect(\n    dead_code,\n)]\npub struct A {\n    pub field: u8,\n}\n\
                impl A {\n    pub async fn run() {}\n    fn private() {}\n}";

    assert_eq!(undocumented(text), ["pub async fn run() {}"]);
}
