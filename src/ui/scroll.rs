//! Lines that only moved: a terminal moves them itself, for a few bytes instead of all their text (U59).

use ratatui::buffer::{Buffer, Cell};

/// Whole lines that go up or down by a few, within a region of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scroll {
    /// First line of the region and the one after its last.
    from: u16,
    to: u16,
    by: u16,
    is_up: bool,
}

/// So many lines at once are looked for: a line, and the three of a mouse's wheel.
const MOST: u16 = 3;
/// Cells that must be spared: fewer are sent sooner than the region is set.
const WORTH: i32 = 30;

impl Scroll {
    /// The move of lines that brings most of `shown` where `next` has it; `None` where that spares nothing.
    pub fn between(shown: &Buffer, next: &Buffer) -> Option<Self> {
        let area = next.area;
        if shown.area != area || area.height < 3 {
            return None;
        }
        let changes: Vec<i32> = (0..area.height).map(|y| differing(line(shown, y), line(next, y))).collect();
        if changes.iter().filter(|cells| **cells > 0).count() < 3 {
            return None;
        }
        let both = (1..=MOST.min(area.height - 2)).flat_map(|by| [(by, true), (by, false)]);
        let best = both.filter_map(|(by, is_up)| Self::best(shown, next, &changes, by, is_up));
        best.max_by_key(|(spared, _)| *spared).filter(|(spared, _)| *spared >= WORTH).map(|(_, found)| found)
    }

    /// The region that spares most for one way and distance, and how many cells that is.
    fn best(shown: &Buffer, next: &Buffer, changes: &[i32], by: u16, is_up: bool) -> Option<(i32, Self)> {
        let height = changes.len() as u16;
        // Lines that something comes to: all but the ones at the end that it comes from.
        let targets = if is_up { 0..height - by } else { by..height };
        let mut best: Option<(i32, u16, u16)> = None;
        let (mut spared, mut from) = (0, targets.start);
        for y in targets {
            let source = if is_up { y + by } else { y - by };
            let as_it_is = changes.get(usize::from(y)).copied().unwrap_or(0);
            let moved = differing(line(shown, source), line(next, y));
            // Another line altogether that happens to look alike ends the region.
            if moved * 2 > as_it_is {
                (spared, from) = (0, y + 1);
                continue;
            }
            spared += as_it_is - moved;
            if best.is_none_or(|(most, ..)| spared > most) {
                best = Some((spared, from, y + 1));
            }
        }
        let (spared, first, end) = best?;
        let (from, to) = if is_up { (first, end + by) } else { (first - by, end) };
        // The lines that come in are blank, whatever stood there.
        let new = if is_up { to - by..to } else { from..from + by };
        let lost: i32 = new
            .map(|y| {
                let as_it_is = changes.get(usize::from(y)).copied().unwrap_or(0);
                line(next, y).iter().filter(|cell| **cell != Cell::EMPTY).count() as i32 - as_it_is
            })
            .sum();
        Some((spared - lost, Self { from, to, by, is_up }))
    }

    /// Sets the region, takes lines out or puts blank ones in at its top, and lifts it again (DECSTBM, DL and IL of the
    /// VT102). The cursor is anywhere afterwards; the pen must be plain.
    pub fn encode(self, bytes: &mut Vec<u8>) {
        let (top, by) = (self.from + 1, if self.by == 1 { String::new() } else { self.by.to_string() });
        let what = if self.is_up { 'M' } else { 'L' };
        bytes
            .extend_from_slice(format!("\x1b[{top};{}r\x1b[{top}H\x1b[{by}{what}\x1b[r", self.to).as_bytes());
    }

    /// The same on our copy of what is shown.
    pub fn apply(self, shown: &mut Buffer) {
        let width = usize::from(shown.area.width);
        let (from, to) = (usize::from(self.from) * width, usize::from(self.to) * width);
        let by = usize::from(self.by) * width;
        let Some(region) = shown.content.get_mut(from..to) else { return };
        if self.is_up {
            region.rotate_left(by);
            let kept = region.len().saturating_sub(by);
            region[kept..].fill(Cell::EMPTY);
        } else {
            region.rotate_right(by);
            let new = by.min(region.len());
            region[..new].fill(Cell::EMPTY);
        }
    }
}

fn line(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y) * width;
    buffer.content.get(start..start + width).unwrap_or(&[])
}

fn differing(one: &[Cell], other: &[Cell]) -> i32 {
    one.iter().zip(other).filter(|(one, other)| one != other).count() as i32
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn screen(lines: &[&str]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 30, lines.len() as u16));
        for (y, text) in lines.iter().enumerate() {
            buffer.set_string(0, y as u16, text, Style::default());
        }
        buffer
    }

    #[test]
    fn a_list_that_moved_between_head_and_foot_is_moved_by_the_terminal() {
        let before = screen(&["head", "first line of the list", "second of them", "the third one", "foot"]);
        let after =
            screen(&["head", "second of them", "the third one", "a fourth that was not there", "foot"]);
        for (shown, next, codes) in [
            (&before, &after, "\x1b[2;4r\x1b[2H\x1b[M\x1b[r"),
            (&after, &before, "\x1b[2;4r\x1b[2H\x1b[L\x1b[r"),
        ] {
            let scroll = Scroll { from: 1, to: 4, by: 1, is_up: codes.contains('M') };
            let wide = |buffer: &Buffer| {
                // Long enough lines that it is worth it.
                let mut wide = Buffer::empty(Rect::new(0, 0, 90, 5));
                for y in 0..5 {
                    let text: String = line(buffer, y).iter().map(Cell::symbol).collect();
                    let text = text.trim_end();
                    let long = if text == "head" || text == "foot" { text.into() } else { text.repeat(3) };
                    wide.set_string(0, y, long, Style::default());
                }
                wide
            };
            let (mut shown, next) = (wide(shown), wide(next));
            assert_eq!(Scroll::between(&shown, &next), Some(scroll));
            let mut bytes = Vec::new();
            scroll.encode(&mut bytes);
            assert_eq!(String::from_utf8(bytes).unwrap(), codes);
            scroll.apply(&mut shown);
            let left: Vec<u16> = (0..5).filter(|y| line(&shown, *y) != line(&next, *y)).collect();
            assert_eq!(left, [if scroll.is_up { 3 } else { 1 }], "only the new line is to be sent");
        }
        assert_eq!(Scroll::between(&before, &before), None);
    }

    #[test]
    fn what_is_new_altogether_is_not_moved() {
        let one = screen(&["aaaa aaaa aaaa", "bbbb bbbb", "cccc cccc cccc", "dddd"]);
        let other = screen(&["eeee eeee", "ffff ffff ffff", "gggg", "hhhh hhhh hhhh"]);
        assert_eq!(Scroll::between(&one, &other), None);
    }
}
