//! Lines that follow or stand still (U17).

use ratatui::layout::{Position, Rect};

use crate::host::words::{Level, LogLine};
use crate::ui::canvas::Canvas;
use crate::ui::theme::Role;

/// Where a reader is in a log that grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follow {
    /// Lines there are, under the filter.
    pub total: u64,
    /// The selected line; while following always the last.
    pub at: u64,
    pub top: u64,
    pub is_following: bool,
    /// Lines when the reader stopped following.
    pinned_at: u64,
}

impl Default for Follow {
    fn default() -> Self {
        Self { total: 0, at: 0, top: 0, is_following: true, pinned_at: 0 }
    }
}

impl Follow {
    /// The log has this many lines now. A pinned view never scrolls, however much arrives.
    pub fn grown(&mut self, total: u64) {
        self.total = total;
        if self.is_following {
            self.at = total.saturating_sub(1);
        }
        self.at = self.at.min(total.saturating_sub(1));
    }

    /// Going up stops following; going down to the end does not start it again, `G` does.
    pub fn move_by(&mut self, lines: i64) {
        if lines < 0 && self.is_following {
            self.is_following = false;
            self.pinned_at = self.total;
        }
        self.at = self.at.saturating_add_signed(lines).min(self.total.saturating_sub(1));
    }

    pub fn follow(&mut self) {
        self.is_following = true;
        self.at = self.total.saturating_sub(1);
    }

    pub fn first(&mut self) {
        self.move_by(-(self.total as i64));
    }

    /// Lines that came since the view was pinned.
    pub fn new_lines(&self) -> u64 {
        if self.is_following { 0 } else { self.total.saturating_sub(self.pinned_at) }
    }

    pub fn keep_visible(&mut self, height: usize) {
        let height = (height as u64).max(1);
        if self.at < self.top {
            self.top = self.at;
        } else if self.at >= self.top + height {
            self.top = self.at + 1 - height;
        }
        self.top = self.top.min(self.total.saturating_sub(height.min(self.total)));
    }

    /// `following`, or how many lines are new.
    pub fn word(&self) -> String {
        match self.new_lines() {
            _ if self.is_following => "following".into(),
            0 => "standing still".into(),
            new => format!("{new} new"),
        }
    }
}

pub const fn level_role(level: Level, sign: char) -> Role {
    match (level, sign) {
        (Level::Error, _) => Role::Bad,
        (Level::Held, _) => Role::Held,
        (_, '+') => Role::New,
        (_, '~' | '&') => Role::Change,
        (_, '0') => Role::Zero,
        (_, '-') => Role::Inactive,
        _ => Role::Dim,
    }
}

/// Draws lines from `first` on; `line` gives one, or `None` while it is on its way.
pub fn draw<'a>(
    canvas: &mut Canvas<'_>,
    area: Rect,
    follow: &Follow,
    selects: bool,
    mut line: impl FnMut(u64) -> Option<&'a LogLine>,
) {
    for (index, y) in (follow.top..follow.total).zip(area.top()..area.bottom()) {
        let Some(line) = line(index) else {
            canvas.put(area.x, y, area.width, "...", Role::Dim);
            continue;
        };
        let at = line.at.to_zoned(canvas.look.zone.clone()).strftime("%H:%M:%S").to_string();
        let role = level_role(line.level, line.sign);
        let mut x = area.x + canvas.put(area.x, y, area.width, &at, Role::Dim) + 1;
        x += canvas.put(x, y, area.right().saturating_sub(x), &line.sign.to_string(), role) + 1;
        let wide = area.width >= 70;
        let (first, second) = if wide { (area.width / 4, area.width / 4) } else { (area.width / 3, 0) };
        if !line.customer.is_empty() {
            canvas.put(x, y, first, &line.customer, Role::Text);
            x += first + 1;
        }
        if !line.subject.is_empty() && second > 0 {
            canvas.put(x, y, second, &line.subject, Role::Text);
            x += second + 1;
        }
        canvas.put(x, y, area.right().saturating_sub(x), &line.text, role);
        if selects && index == follow.at {
            canvas.tint(Rect { y, height: 1, ..area }, Role::Selected);
            canvas.cursor = Some((Position::new(area.x, y), canvas.look.plain));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_up_pins_the_view_until_g() {
        let mut follow = Follow::default();
        follow.grown(100);
        follow.keep_visible(10);
        assert_eq!((follow.at, follow.top), (99, 90));
        follow.move_by(-1);
        follow.keep_visible(10);
        let top = follow.top;
        follow.grown(500);
        follow.keep_visible(10);
        assert_eq!((follow.at, follow.top, follow.new_lines()), (98, top, 400));
        assert_eq!(follow.word(), "400 new");
        follow.follow();
        follow.keep_visible(10);
        assert_eq!((follow.at, follow.top, follow.new_lines()), (499, 490, 0));
    }
}
