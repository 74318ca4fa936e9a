//! Text cut and filled to columns: measured by display width, cut between clusters (U52).

pub use crate::model::text::thousands;
use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::model::text::shown;

/// Says that a text goes on.
pub const CUT: &str = "..";

/// Columns a text takes.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The text made safe and cut to `columns`, with a sign at the end if anything is missing.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    // A name of a megabyte is not walked to its end to show twenty columns of it.
    let end = (columns * 64 + 64..text.len()).find(|i| text.is_char_boundary(*i));
    let safe = shown(end.map_or(text, |end| &text[..end]));
    if end.is_none() && width(&safe) <= columns {
        return safe;
    }
    let sign = if columns > CUT.len() + 1 { CUT } else { "" };
    let mut kept = String::new();
    let mut used = 0;
    for cluster in safe.graphemes(true) {
        let wide = cluster.width();
        if used + wide > columns - sign.len() {
            break;
        }
        used += wide;
        kept.push_str(cluster);
    }
    kept.push_str(sign);
    Cow::Owned(kept)
}

/// Words broken into lines of at most `columns`; a word that is longer is broken itself.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(4);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in shown(text).split_whitespace() {
        let mut word = Cow::Borrowed(word);
        loop {
            let gap = usize::from(!line.is_empty());
            if width(&line) + gap + width(&word) <= columns {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(&word);
                break;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            let mut head = String::new();
            for cluster in word.graphemes(true) {
                if width(&head) + cluster.width() > columns {
                    break;
                }
                head.push_str(cluster);
            }
            if head.is_empty() {
                break;
            }
            word = Cow::Owned(word[head.len()..].to_owned());
            lines.push(head);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_clusters_and_never_too_wide() {
        assert_eq!(cut("Contoso", 7), "Contoso");
        assert_eq!(cut("Contoso Retail", 8), "Contos..");
        assert_eq!(cut("東京電力株式会社", 7), "東京..");
        assert_eq!(cut("👩‍👧👩‍👧👩‍👧", 5), "👩‍👧..");
        assert_eq!(cut("a\u{1b}[31mb", 20), "a^[[31mb");
        assert_eq!(cut("abc", 0), "");
        for columns in 0..20 {
            for text in [
                "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
                "東京電力",
                "عربي عربي عربي عربي",
                "plain and long enough",
            ] {
                assert!(width(&cut(text, columns)) <= columns, "{text} {columns}");
            }
        }
    }

    #[test]
    fn a_huge_name_costs_what_its_head_costs() {
        let huge = "é".repeat(1_000_000);
        assert_eq!(width(&cut(&huge, 10)), 10);
    }

    #[test]
    fn lines_wrap_at_words_and_break_what_is_longer() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("aaaaaaaaaa b", 4), ["aaaa", "aaaa", "aa b"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(1904), "1,904");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }
}
