//! Measures the length of files and functions.

/// Counts the lines that are not blank. The code contains no comments.
pub(super) fn lines_of_code(code: &str) -> usize {
    code.lines().filter(|it| !it.trim().is_empty()).count()
}

/// Returns the number of lines in the body of each function. Relies on the format of rustfmt: the
/// closing brace of a function has the same indentation as its first line.
pub(super) fn function_lengths(code: &str) -> Vec<usize> {
    let lines: Vec<&str> = code.lines().collect();
    (0..lines.len()).filter_map(|at| body_length(&lines[at..])).collect()
}

/// Returns the number of lines in the body of the function that starts in the first line, if any.
fn body_length(lines: &[&str]) -> Option<usize> {
    let first = *lines.first()?;
    let indent = first.len() - first.trim_start().len();
    let mut words = first.split_whitespace();
    let is_function = words
        .find(|it| !it.starts_with("pub") && !["async", "const"].contains(it))
        .is_some_and(|it| it == "fn");
    if !is_function || first.ends_with(';') {
        return None;
    }
    if first.ends_with('}') {
        return Some(1);
    }
    let is_at_indent = |line: &&str| line.len() - line.trim_start().len() == indent;
    let begin = lines.iter().position(|it| it.ends_with('{') && is_at_indent(it))?;
    let end = lines.iter().position(|it| it.trim() == "}" && is_at_indent(it))?;
    end.checked_sub(begin + 1)
}

pub(super) fn median(mut numbers: Vec<usize>) -> usize {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

#[test]
fn the_body_of_a_function_is_measured_without_its_signature() {
    let code = "fn one() {}\nimpl A {\n    pub(super) async fn two(\n        a: u8,\n    ) {\n\
                a();\n        b();\n    }\n}\ntrait B {\n    fn none();\n}";

    assert_eq!(function_lengths(code), [1, 2]);
}
