//! Works around limitations of the parser of async-graphql 7, before it parses a query (GraphQL
//! specification, sections 2.1 and 2.9):
//!
//! - Limits the nesting of brackets, because a stack overflow of the parser aborts the process.
//! - Replaces valid syntax that it rejects: `\u{…}` and surrogate pairs, descriptions, comments and
//!   commas after `on`, whitespace within types, and `-0`. Almost all tokens keep their positions.
//! - Rejects invalid syntax that it accepts.

use crate::error::RequestFault;

/// The maximum nesting of brackets, of all kinds together.
const MAX_BRACKETS: usize = 64;
/// The keywords that begin definitions.
const DEFINITIONS: [&str; 4] = ["query", "mutation", "subscription", "fragment"];

/// Rewrites a query for the parser.
///
/// # Errors
///
/// [`RequestFault::Validation`] if it is nested too deeply; [`RequestFault::Syntax`] if malformed.
pub(super) fn rewrite(query: &str) -> Result<String, RequestFault> {
    let mut rewriter = Rewriter {
        query,
        position: 0,
        output: String::with_capacity(query.len()),
        gap: String::new(),
        brackets: Vec::new(),
        is_in_definition: false,
        previous: "",
    };
    loop {
        rewriter.skip_gap();
        let token = next_token(rewriter.rest()).map_err(|text| rewriter.fault(text))?;
        if token.is_empty() {
            break;
        }
        rewriter.add(token)?;
    }
    rewriter.output.push_str(&rewriter.gap);
    Ok(rewriter.output)
}

struct Rewriter<'a> {
    query: &'a str,
    position: usize,
    output: String,
    /// The whitespace that replaces the ignored text before the next token.
    gap: String,
    brackets: Vec<&'a str>,
    is_in_definition: bool,
    previous: &'a str,
}

impl<'a> Rewriter<'a> {
    fn rest(&self) -> &'a str {
        self.query.get(self.position..).unwrap_or_default()
    }

    fn fault(&self, text: &str) -> RequestFault {
        let before = self.query.get(..self.position).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let at = (before.matches('\n').count() + 1, line.chars().count() + 1);
        RequestFault::Syntax { text: text.to_owned(), at: Some(at) }
    }

    /// Skips ignored text, and adds whitespace of the same length to the gap.
    fn skip_gap(&mut self) {
        let ignored = ignored(self.rest());
        self.position += ignored.len();
        self.gap.extend(to_whitespace(ignored));
    }

    fn add(&mut self, token: &'a str) -> Result<(), RequestFault> {
        let next = self.rest().get(token.len()..).unwrap_or_default();
        let next = next.get(ignored(next).len()..).unwrap_or_default();
        self.check(token, next)?;
        if self.is_description(token, next) {
            self.gap.extend(to_whitespace(token));
        } else {
            self.write(token)?;
        }
        self.count_brackets(token)?;
        self.position += token.len();
        self.previous = token;
        Ok(())
    }

    /// Rejects an invalid token that the parser would accept.
    fn check(&self, token: &str, next: &str) -> Result<(), RequestFault> {
        let is_first = self.brackets.is_empty() && !self.is_in_definition;
        let is_definition =
            DEFINITIONS.contains(&token) || token == "{" && !self.previous.starts_with('"');
        let is_described = token.starts_with('"') && DEFINITIONS.contains(&name(next));
        if is_first && !is_definition && !is_described {
            return Err(self.fault("expected executable_definition"));
        }
        if self.brackets.is_empty() && token == "(" && next.starts_with(')') {
            return Err(self.fault("expected variable_definition"));
        }
        if self.previous == "..." && token == "on" && name(next).is_empty() {
            return Err(self.fault("expected type_condition"));
        }
        Ok(())
    }

    /// Whether a token is the description of a definition or of a variable.
    fn is_description(&self, token: &str, next: &str) -> bool {
        let is_of_variable =
            self.brackets == ["("] && next.starts_with('$') && self.previous != "=";
        token.starts_with('"') && (self.brackets.is_empty() || is_of_variable)
    }

    /// Writes a token. Moves whitespace within a type, which the parser rejects, after the type.
    fn write(&mut self, token: &str) -> Result<(), RequestFault> {
        if !matches!(token, "!" | "]") && self.previous != "[" {
            self.output.push_str(&std::mem::take(&mut self.gap));
        }
        let begin = self.output.len();
        match token {
            "-0" => self.output.push('0'),
            _ if token.starts_with('"') && !token.starts_with("\"\"\"") => {
                let written = rewrite_string(token).map_err(|text| self.fault(text))?;
                self.output.push_str(&written);
            }
            _ => self.output.push_str(token),
        }
        let written = self.output.get(begin..).unwrap_or_default().chars().count();
        self.gap.extend(std::iter::repeat_n(' ', token.chars().count().saturating_sub(written)));
        Ok(())
    }

    fn count_brackets(&mut self, token: &'a str) -> Result<(), RequestFault> {
        self.is_in_definition |= !token.starts_with('"');
        match token {
            "(" | "[" | "{" => self.brackets.push(token),
            ")" | "]" | "}" => {
                self.brackets.pop();
                self.is_in_definition = !(self.brackets.is_empty() && token == "}");
            }
            _ => {}
        }
        if self.brackets.len() > MAX_BRACKETS {
            return Err(RequestFault::Validation(format!(
                "The query is too deep: at most {MAX_BRACKETS} levels of brackets are allowed"
            )));
        }
        Ok(())
    }
}

/// Returns the ignored text at the beginning of `text`: whitespace, commas and comments.
fn ignored(text: &str) -> &str {
    let mut is_comment = false;
    let end = text.find(|c| {
        is_comment = c == '#' || is_comment && !matches!(c, '\n' | '\r');
        !is_comment && !matches!(c, ' ' | '\t' | '\n' | '\r' | ',' | '\u{feff}')
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// Replaces all characters except line breaks with spaces.
fn to_whitespace(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if matches!(c, '\n' | '\r') { c } else { ' ' })
}

/// Returns the token at the beginning of `text`. Returns an empty string if `text` is empty.
fn next_token(text: &str) -> Result<&str, &'static str> {
    let length = match text.chars().next() {
        None => 0,
        Some('!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}') => 1,
        Some('.') if text.starts_with("...") => 3,
        Some('"') => string_length(text)?,
        Some('-' | '0'..='9') => number_length(text).ok_or("invalid number")?,
        Some(_) if !name(text).is_empty() => name(text).len(),
        Some(_) => return Err("unexpected character"),
    };
    Ok(text.get(..length).unwrap_or_default())
}

/// Returns the name at the beginning of `text`, or an empty string if there is none.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    if name.starts_with(|c: char| c.is_ascii_digit()) { "" } else { name }
}

fn number_length(text: &str) -> Option<usize> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let after = |at: usize| text.get(at..).unwrap_or_default();
    let begin = usize::from(text.starts_with('-'));
    let mut at = begin + digits(after(begin));
    if at == begin || after(begin).starts_with('0') && at > begin + 1 {
        return None;
    }
    if after(at).starts_with('.') {
        let count = digits(after(at + 1));
        at = (count > 0).then_some(at + 1 + count)?;
    }
    if after(at).starts_with(['e', 'E']) {
        let sign = usize::from(after(at + 1).starts_with(['+', '-']));
        let count = digits(after(at + 1 + sign));
        at = (count > 0).then_some(at + 1 + sign + count)?;
    }
    let is_end = !after(at).starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '.');
    is_end.then_some(at)
}

/// Returns the length of the string at the beginning of `text`.
fn string_length(text: &str) -> Result<usize, &'static str> {
    let is_block = text.starts_with("\"\"\"");
    let (quotes, escaped) = if is_block { ("\"\"\"", "\\\"\"\"") } else { ("\"", "\\\"") };
    let mut at = quotes.len();
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(c) = rest.chars().next().filter(|c| is_block || !matches!(c, '\n' | '\r')) else {
            return Err(if is_block { "unterminated block string" } else { "unterminated string" });
        };
        at += match c {
            '"' if rest.starts_with(quotes) => return Ok(at + quotes.len()),
            '\\' if rest.starts_with(escaped) => escaped.len(),
            '\\' if !is_block && rest.starts_with("\\\\") => 2,
            _ => c.len_utf8(),
        };
    }
}

/// Rewrites the escape sequences of a string to those that the parser supports. Characters above
/// U+FFFF are written literally.
fn rewrite_string(token: &str) -> Result<String, &'static str> {
    let mut text = String::with_capacity(token.len());
    let mut rest = token;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let (written, after) = read_escape(escape).ok_or("invalid escape sequence")?;
        text.push_str(&written);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// Rewrites the escape sequence after a backslash. Returns it and the remaining text.
fn read_escape(text: &str) -> Option<(String, &str)> {
    if let Some(after) = text.strip_prefix('u') {
        let (code, after) = read_code_point(after)?;
        if !(0xd800..0xdc00).contains(&code) {
            return Some((write_character(char::from_u32(code)?), after));
        }
        let (low, after) = read_hexadecimal(after.strip_prefix("\\u")?, 4)?;
        let low = (0xdc00..0xe000).contains(&low).then_some(low)?;
        return Some((
            write_character(char::from_u32(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00))?),
            after,
        ));
    }
    let escape = text.chars().next().filter(|c| "\"\\/bfnrt".contains(*c))?;
    Some((format!("\\{escape}"), text.get(1..)?))
}

/// Reads a code point, in braces or as four digits. Returns it and the remaining text.
fn read_code_point(text: &str) -> Option<(u32, &str)> {
    let Some(braced) = text.strip_prefix('{') else { return read_hexadecimal(text, 4) };
    let (digits, after) = braced.split_once('}')?;
    let (code, _) = read_hexadecimal(digits, digits.len())?;
    char::from_u32(code).map(|_| (code, after))
}

fn read_hexadecimal(text: &str, length: usize) -> Option<(u32, &str)> {
    let digits = text.get(..length).filter(|it| it.chars().all(|c| c.is_ascii_hexdigit()))?;
    Some((u32::from_str_radix(digits, 16).ok()?, text.get(length..)?))
}

fn write_character(c: char) -> String {
    match u32::from(c) {
        code if code < 0x1_0000 => format!("\\u{code:04x}"),
        _ => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::unchanged_values("{ a(b: [1, 2.5e3]) }", "{ a(b: [1  2.5e3]) }")]
    #[case::braces(r#"{ a(b: "\u{1F600}") c }"#, "{ a(b: \"😀\"        ) c }")]
    #[case::a_surrogate_pair(r#"{ a(b: "\uD83D\uDE00") c }"#, "{ a(b: \"😀\"           ) c }")]
    #[case::a_quote(r#"{ a(b: "\u{22}\u{5c}") c }"#, r#"{ a(b: "\u0022\u005c") c }"#)]
    #[case::a_comment("{ ... on#x\nA { b } }", "{ ... on  \nA { b } }")]
    #[case::blanks_in_a_type("query ($a: [ A ! ] !) { b }", "query ($a: [A!]!    ) { b }")]
    #[case::descriptions("\"x\" query A(\"y\" $a: A) { b }", "    query A(    $a: A) { b }")]
    #[case::a_default_value(
        "query ($a: A = \"x\" $b: B) { c }",
        "query ($a: A = \"x\" $b: B) { c }"
    )]
    #[case::negative_zero("{ a(b: -0, c: -0.0) }", "{ a(b: 0   c: -0.0) }")]
    #[case::a_block_string(r#"{ a(b: """\u{x} \""" # """) }"#, r#"{ a(b: """\u{x} \""" # """) }"#)]
    fn valid_text_is_rewritten_to_text_that_the_parser_accepts(
        #[case] query: &str,
        #[case] expected: &str,
    ) {
        let text = rewrite(query).unwrap();

        assert_eq!(text, expected);
        assert!(parse_query(&text).is_ok());
    }

    #[rstest]
    #[case::of_a_definition("queryA { a }")]
    #[case::of_no_variables("query () { a }")]
    #[case::of_no_type("{ ...on }")]
    #[case::a_high_surrogate_alone(r#"{ a(b: "\uD83D") }"#)]
    #[case::a_low_surrogate_alone(r#"{ a(b: "\uDE00") }"#)]
    #[case::too_large(r#"{ a(b: "\u{110000}") }"#)]
    #[case::no_digits(r#"{ a(b: "\u{}") }"#)]
    #[case::an_unknown_escape(r#"{ a(b: "\x") }"#)]
    #[case::a_string_without_end("{ a(b: \"\n\") }")]
    #[case::a_block_string_without_end("{ a(b: \"\"\" \") }")]
    #[case::a_number("{ a(b: 01) }")]
    #[case::a_number_with_a_name("{ a(b: 1a) }")]
    #[case::another_character("{ a ; }")]
    #[case::a_description_of_nothing("\"x\" { a }")]
    fn invalid_text_is_rejected_with_a_location(#[case] query: &str) {
        assert!(matches!(rewrite(query), Err(RequestFault::Syntax { at: Some(_), .. })));
    }

    #[test]
    fn a_syntax_error_has_its_line_and_column() {
        let Err(RequestFault::Syntax { at, .. }) = rewrite("{\n  é: a ; }") else {
            panic!("it was accepted")
        };

        assert_eq!(at, Some((2, 3)));
    }

    #[rstest]
    #[case::sixty_four(format!("{{ a(b: {}{}) }}", "[".repeat(62), "]".repeat(62)), true)]
    #[case::more(format!("{{ a(b: {}{}) }}", "[".repeat(63), "]".repeat(63)), false)]
    #[case::in_a_string(format!("{{ a(b: \"\\\"{}\") }}", "[".repeat(100)), true)]
    #[case::in_a_block_string(format!(r#"{{ a(b: """\""" " {}""") }}"#, "[".repeat(100)), true)]
    #[case::in_a_comment(format!("{{ a }} # {}", "[".repeat(100)), true)]
    #[case::strings(format!("{{ a(b: [{}]) }}", r#""]" ["#.repeat(63) + &"]".repeat(63)), false)]
    fn nesting_is_limited_to_sixty_four_brackets(#[case] query: String, #[case] is_within: bool) {
        assert_eq!(rewrite(&query).is_ok(), is_within);
    }
}
