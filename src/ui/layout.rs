//! Size to regions: one pure function, used by drawing and by update alike.

use ratatui::layout::{Rect, Size};

/// The size classes (ux.md 2). Every function is in every class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    TooSmall,
    S,
    M,
    L,
    Xl,
}

impl Class {
    pub const fn of(size: Size) -> Self {
        let (w, h) = (size.width, size.height);
        if w >= 120 && h >= 32 {
            Self::Xl
        } else if w >= 80 && h >= 24 {
            Self::L
        } else if w >= 60 && h >= 16 {
            Self::M
        } else if w >= 40 && h >= 10 {
            Self::S
        } else {
            Self::TooSmall
        }
    }
}

/// The lines of the screen (ux.md 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regions {
    pub header: Rect,
    pub crumb: Rect,
    pub body: Rect,
    pub strip: Rect,
    pub hints: Rect,
}

pub fn regions(size: Size, crumb: bool) -> Regions {
    let line = |y| Rect::new(0, y, size.width, 1);
    let top = if crumb { 2 } else { 1 };
    let bottom = size.height.saturating_sub(2);
    Regions {
        header: line(0),
        crumb: if crumb { line(1) } else { Rect::new(0, 1, size.width, 0) },
        body: Rect::new(0, top, size.width, bottom.saturating_sub(top)),
        strip: line(bottom),
        hints: line(size.height.saturating_sub(1)),
    }
}

/// A list and the details of its selected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListRegions {
    /// With its column heads.
    pub list: Rect,
    /// With its title line; empty where there is no room.
    pub details: Rect,
}

impl ListRegions {
    /// Rows of the list without its heads.
    pub const fn rows(&self) -> usize {
        self.list.height.saturating_sub(1) as usize
    }
}

/// Splits a body, or a pane of the overview, into list and details. The list is the larger part (U3).
pub fn list_and_details(area: Rect, in_overview: bool) -> ListRegions {
    let none = Rect::new(area.x, area.bottom(), area.width, 0);
    if in_overview || area.height < 10 || area.width < 60 {
        return ListRegions { list: area, details: none };
    }
    if area.width >= 120 && area.height >= 28 {
        let left = area.width * 6 / 10;
        return ListRegions {
            list: Rect { width: left, ..area },
            details: Rect { x: area.x + left + 1, width: area.width - left - 1, ..area },
        };
    }
    let details = if area.height >= 20 { area.height * 2 / 5 } else { 4 };
    let list = area.height - details;
    ListRegions {
        list: Rect { height: list, ..area },
        details: Rect { y: area.y + list, height: details, ..area },
    }
}

/// The panes of the overview: one, two side by side, or two by two.
pub fn overview(area: Rect, panes: usize) -> Vec<Rect> {
    let columns: u16 = if panes > 1 { 2 } else { 1 };
    let rows = (panes as u16).div_ceil(columns).max(1);
    (0..panes as u16)
        .map(|i| {
            let (column, row) = (i % columns, i / columns);
            let x = area.x + area.width * column / columns;
            let y = area.y + area.height * row / rows;
            let right = area.x + area.width * (column + 1) / columns;
            let bottom = area.y + area.height * (row + 1) / rows;
            Rect::new(x, y, right - x, bottom - y)
        })
        .collect()
}

/// A box of this size in the middle; smaller where there is no room.
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height)
}

pub fn inside(area: Rect) -> Rect {
    Rect::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), area.height.saturating_sub(2))
}
