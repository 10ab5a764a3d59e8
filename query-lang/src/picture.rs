//! A problem as people like to see it: the line, the place underlined, and what to do.

use std::fmt::Write as _;

use crate::error::ParseError;
use crate::span::Span;

/// Characters of a line that are shown; of a longer one, those around the place.
const WIDTH: usize = 96;

/// Characters before the place that stay in sight where a line is cut.
const LEAD: usize = 32;

impl ParseError {
    /// The first problem, drawn; `name` says what was parsed, as `query` or a file's name.
    ///
    /// ```
    /// let error = query_lang::parse("rate(up)").unwrap_err();
    /// let picture = "\
    /// error[Q012]: expected type range vector in call to function \"rate\", got instant vector
    ///   ╭─[ query:1:6 ]
    /// 1 │ rate(up)
    ///   │      ─┬
    ///   │       ╰─ add a window, for example up[5m]
    /// ──╯
    /// ";
    /// assert_eq!(error.picture("query"), picture);
    /// ```
    pub fn picture(&self, name: &str) -> String {
        let Some(problem) = self.problems().first() else { return String::new() };
        let title = format!("error[{}]: {}", problem.code, problem.message);
        draw(&title, name, self.text(), problem.span, problem.hint.as_deref())
    }
}

/// A place in any text, drawn: the title, the line, the place underlined, and a hint that hangs
/// from it. Of an empty text only the title is there.
pub fn draw(title: &str, name: &str, text: &str, span: Span, hint: Option<&str>) -> String {
    let mut out = format!("{title}\n");
    if text.is_empty() {
        return out;
    }
    let (line, column) = span.line_column(text);
    let margin = " ".repeat(line.to_string().len());
    let excerpt = Excerpt::of(text, span);
    let before = " ".repeat(excerpt.before);
    let (line_under, stem) = underline(excerpt.length, hint.is_some());
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{margin} ╭─[ {name}:{line}:{column} ]");
    let _ = writeln!(out, "{line} │ {}", excerpt.text);
    let _ = writeln!(out, "{margin} │ {before}{line_under}");
    if let Some(hint) = hint {
        let before = " ".repeat(excerpt.before + stem);
        let _ = writeln!(out, "{margin} │ {before}╰─ {hint}");
    }
    let _ = writeln!(out, "{}─╯", "─".repeat(margin.len()));
    out
}

/// The line under the place, and how far along it the hint hangs.
fn underline(length: usize, has_hint: bool) -> (String, usize) {
    if !has_hint {
        return ("─".repeat(length), 0);
    }
    let stem = length / 2;
    (format!("{}┬{}", "─".repeat(stem), "─".repeat(length - stem - 1)), stem)
}

/// The part of the problem's line that is shown, and where in it the place is, in characters.
struct Excerpt {
    text: String,
    before: usize,
    length: usize,
}

impl Excerpt {
    fn of(text: &str, span: Span) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.floor_char_boundary(span.end.max(start));
        let (head, tail) = text.split_at_checked(start).unwrap_or((text, ""));
        let line_start = head.rfind('\n').map_or(0, |at| at + 1);
        let line_end = start + tail.find('\n').unwrap_or(tail.len());
        let marked_end = end.min(line_end);
        let length_of = |from, to| text.get(from..to).map_or(0, |part: &str| part.chars().count());
        let column = length_of(line_start, start);
        let length = length_of(start, marked_end).max(1);

        let line = text.get(line_start..line_end).unwrap_or_default();
        let skipped = if line.chars().count() > WIDTH { column.saturating_sub(LEAD) } else { 0 };
        // Tabs and the like would move what is drawn below.
        let shown = line.chars().skip(skipped).take(WIDTH);
        let text: String =
            shown.map(|shown| if shown.is_control() { ' ' } else { shown }).collect();
        let before = column - skipped;
        Self { text, before, length: length.min(WIDTH.saturating_sub(before)).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;

    fn picture(text: &str) -> String {
        parse(text).unwrap_err().picture("query")
    }

    #[test]
    fn the_line_of_the_problem_is_shown_alone() {
        let drawn = picture("a +\n\t'ü' b");
        assert!(drawn.contains("2 │  'ü' b\n  │      ─\n"), "{drawn}");
    }

    #[test]
    fn hints_hang_from_the_middle() {
        let drawn = picture("ratee(http_requests_total[5m])");
        let expected = "\
1 │ ratee(http_requests_total[5m])
  │ ──┬──
  │   ╰─ did you mean rate?
──╯
";
        assert!(drawn.ends_with(expected), "{drawn}");
    }

    #[test]
    fn of_a_long_line_the_place_is_shown() {
        let drawn = picture(&format!("{} + rate(up)", vec!["abcdefghij"; 40].join(" + ")));
        assert!(drawn.contains("abcdefghij + rate(up)\n"), "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() <= 100), "{drawn}");
    }

    #[test]
    fn an_empty_text_has_no_line() {
        assert_eq!(picture(""), "error[Q001]: no expression found in input\n");
    }
}
