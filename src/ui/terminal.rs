//! The terminal: modes on and off, one write per frame, title and clipboard. Nothing is ever asked of it (U58).

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::Event;
use futures_util::stream::{Stream, poll_fn};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Color, Modifier};

use super::scroll::Scroll;

/// Alternate screen, bracketed paste, hidden cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?2004h\x1b[?25l";
/// Mouse, paste, styles, cursor, title, alternate screen: whatever was on is off.
const LEAVE: &str = "\x1b[?2026l\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l\x1b[23;0t";
/// Keeps the title of before, where the terminal can.
const SAVE_TITLE: &str = "\x1b[22;0t";
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes the terminal; from now on [`restore`] gives it back, whatever happens.
pub fn take() -> io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    out.write_all(SAVE_TITLE.as_bytes())?;
    out.write_all(ENTER.as_bytes())?;
    out.flush()
}

/// Where frames go: standard output without its buffer, which would send a frame in two parts wherever a line ends in it.
pub fn output() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Gives the terminal back, once. Errors are ignored: there is nobody left to tell.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = out.write_all(LEAVE.as_bytes());
        let _ = out.flush();
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// A panic anywhere gives the terminal back before it is reported.
pub fn restore_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        restore();
        before(info);
    }));
}

/// What is typed, read by a thread of its own. When its terminal has gone, crossterm's reader never comes back from
/// reading (crossterm-rs/crossterm #793), on whatever thread it runs: not on the one that must hear the hang-up.
pub fn events() -> impl Stream<Item = io::Result<Event>> + Unpin {
    let (heard, mut events) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        loop {
            let event = crossterm::event::read();
            let is_over = event.is_err();
            if heard.send(event).is_err() || is_over {
                return;
            }
        }
    });
    poll_fn(move |task| events.poll_recv(task))
}

/// A frame as it should be on the terminal.
#[derive(Debug, Clone)]
pub struct Frame {
    pub buffer: Buffer,
    pub cursor: Option<(Position, bool)>,
    /// The window title; `None` leaves it alone.
    pub title: Option<String>,
}

/// Sends frames: only what differs from the last one, as one write, inside a synchronised update (U57).
///
/// It writes the escape sequences itself. The library's own backend sends the 16 colours in the 256-colour form, which
/// old terminals misread, and ends every frame with resets; both cost bytes that a slow link has to carry.
#[derive(Debug)]
pub struct Painter<W: Write> {
    out: W,
    shown: Buffer,
    /// What is on the terminal is not known: it is cleared first.
    unknown: bool,
    cursor: Option<Position>,
    cursor_shows: bool,
    title: String,
    bytes: Vec<u8>,
}

impl<W: Write> Painter<W> {
    pub fn new(out: W, size: Size) -> Self {
        Self {
            out,
            shown: Buffer::empty(Rect::from((Position::ORIGIN, size))),
            unknown: true,
            cursor: None,
            cursor_shows: false,
            title: String::new(),
            bytes: Vec::new(),
        }
    }

    /// The next frame is drawn in full.
    pub fn forget(&mut self) {
        self.unknown = true;
    }

    /// Sends one frame; `false` if nothing differed and so nothing was sent.
    pub fn paint(&mut self, frame: Frame) -> io::Result<bool> {
        let Frame { buffer, cursor, title } = frame;
        self.bytes.clear();
        if self.unknown || self.shown.area != buffer.area {
            self.shown = Buffer::empty(buffer.area);
            self.bytes.extend_from_slice(b"\x1b[0m\x1b[2J");
            self.unknown = false;
            self.cursor = None;
        }
        let before = self.bytes.len();
        encode(&buffer, &differences(&self.shown, &buffer), &mut self.bytes);
        if let Some(scroll) = Scroll::between(&self.shown, &buffer) {
            let mut moved = Vec::new();
            scroll.encode(&mut moved);
            scroll.apply(&mut self.shown);
            encode(&buffer, &differences(&self.shown, &buffer), &mut moved);
            if moved.len() < self.bytes.len() - before {
                self.bytes.truncate(before);
                self.bytes.append(&mut moved);
            }
        }
        let drew = self.bytes.len() > before;
        self.shown = buffer;
        let (at, shows) = cursor.map_or((self.cursor, self.cursor_shows), |(at, shows)| (Some(at), shows));
        if at.is_some() && (drew || at != self.cursor) {
            self.cursor = at;
            if let Some(at) = at {
                move_to(at, &mut self.bytes);
            }
        }
        if shows != self.cursor_shows {
            self.cursor_shows = shows;
            self.bytes.extend_from_slice(if shows { b"\x1b[?25h" } else { b"\x1b[?25l" });
        }
        if let Some(title) = title.filter(|title| *title != self.title) {
            let safe: String = title.chars().filter(|c| !c.is_control()).collect();
            self.bytes.extend_from_slice(format!("\x1b]2;{safe}\x07").as_bytes());
            self.title = title;
        }
        if self.bytes.is_empty() {
            return Ok(false);
        }
        let mut whole = Vec::with_capacity(self.bytes.len() + 16);
        whole.extend_from_slice(b"\x1b[?2026h");
        whole.extend_from_slice(&self.bytes);
        whole.extend_from_slice(b"\x1b[?2026l");
        self.send(&whole)?;
        Ok(true)
    }

    /// Sends the last line of a frame and leaves everything else as it is on the terminal.
    pub fn paint_last_line(&mut self, frame: Frame) -> io::Result<bool> {
        if self.unknown || self.shown.area != frame.buffer.area {
            return self.paint(frame);
        }
        let mut buffer = self.shown.clone();
        let y = buffer.area.bottom().saturating_sub(1);
        for x in buffer.area.left()..buffer.area.right() {
            buffer[(x, y)] = frame.buffer[(x, y)].clone();
        }
        self.paint(Frame { buffer, cursor: None, title: frame.title })
    }

    /// Text for the terminal's clipboard (OSC 52), wrapped for tmux and screen (U54).
    pub fn copy(&mut self, text: &str, multiplexer: Multiplexer) -> io::Result<()> {
        let code = format!("\x1b]52;c;{}\x07", base64(text.as_bytes()));
        let wrapped = match multiplexer {
            Multiplexer::None => code,
            Multiplexer::Tmux => format!("\x1bPtmux;{}\x1b\\", code.replace('\x1b', "\x1b\x1b")),
            // screen takes at most 768 bytes in one string.
            Multiplexer::Screen => {
                let parts = code.as_bytes().chunks(256).map(String::from_utf8_lossy);
                parts.fold(String::new(), |text, part| text + "\x1bP" + &part + "\x1b\\")
            }
        };
        self.send(wrapped.as_bytes())
    }

    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.send(if on { MOUSE_ON } else { MOUSE_OFF }.as_bytes())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        loop {
            let result = if rest.is_empty() { self.out.flush().map(|()| 0) } else { self.out.write(rest) };
            match result {
                Ok(0) if rest.is_empty() => return Ok(()),
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Somebody made the terminal we share with them non-blocking: what it does not take now it takes soon.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(FULL_WAIT),
                Err(error) => return Err(error),
            }
        }
    }
}

const FULL_WAIT: std::time::Duration = std::time::Duration::from_millis(5);

/// Largest text that is sent to a clipboard: terminals drop more without a word.
pub const COPY_LIMIT: usize = 74_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Multiplexer {
    #[default]
    None,
    Tmux,
    Screen,
}

fn move_to(at: Position, bytes: &mut Vec<u8>) {
    let row = at.y + 1;
    let code = if at.x == 0 { format!("\x1b[{row}H") } else { format!("\x1b[{row};{}H", at.x + 1) };
    bytes.extend_from_slice(code.as_bytes());
}

type Pen = (Color, Color, Modifier);

/// Cells that differ, in reading order. Where a wide character gave way to a narrow one, its second half is sent, too:
/// not every terminal clears that by itself.
fn differences<'a>(shown: &Buffer, next: &'a Buffer) -> Vec<(u16, u16, &'a Cell)> {
    let found = shown.diff(next);
    let mut all: Vec<(u16, u16, &Cell)> = Vec::with_capacity(found.len());
    for (at, (x, y, cell)) in found.iter().enumerate() {
        all.push((*x, *y, cell));
        let was = shown.cell((*x, *y)).map_or(1, |old| super::fit::width(old.symbol()));
        let half = (x + 1, *y);
        let follows = found.get(at + 1).is_some_and(|(x, y, _)| (*x, *y) == half);
        if was > 1
            && super::fit::width(cell.symbol()) < 2
            && !follows
            && let Some(blank) = next.cell(half)
        {
            all.push((half.0, half.1, blank));
        }
    }
    all
}

/// Cells that differ, in reading order, as escape sequences.
fn encode(buffer: &Buffer, cells: &[(u16, u16, &Cell)], bytes: &mut Vec<u8>) {
    const PLAIN: Pen = (Color::Reset, Color::Reset, Modifier::empty());
    let mut pen = PLAIN;
    let mut next: Option<Position> = None;
    let mut erased_row = None;
    for (x, y, cell) in cells {
        if erased_row == Some(*y) {
            continue;
        }
        match next {
            Some(at) if at == Position::new(*x, *y) => {}
            Some(at) if at.y == *y && at.x < *x => bridge(buffer, at, *x, pen, bytes),
            Some(at) if at.y + 1 == *y && *x == 0 => bytes.extend_from_slice(b"\r\n"),
            _ => move_to(Position::new(*x, *y), bytes),
        }
        let wanted = pen_of(cell);
        if wanted != pen {
            change_pen(pen, wanted, bytes);
            pen = wanted;
        }
        let rest = x + ERASE_FROM..buffer.area.right();
        if wanted == PLAIN && !rest.is_empty() && (*x..rest.end).all(|x| is_blank(&buffer[(x, *y)])) {
            bytes.extend_from_slice(b"\x1b[K");
            erased_row = Some(*y);
            next = Some(Position::new(*x, *y));
            continue;
        }
        bytes.extend_from_slice(cell.symbol().as_bytes());
        next = Some(Position::new(x + (super::fit::width(cell.symbol()) as u16).max(1), *y));
    }
    if pen != PLAIN {
        bytes.extend_from_slice(b"\x1b[0m");
    }
}

/// Blanks at the end of a line from which on erasing costs less than sending them.
const ERASE_FROM: u16 = 4;

fn pen_of(cell: &Cell) -> Pen {
    (cell.fg, cell.bg, cell.modifier)
}

fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && pen_of(cell) == (Color::Reset, Color::Reset, Modifier::empty())
}

/// Gets over cells that are right already: a few are cheaper sent again than jumped over.
fn bridge(buffer: &Buffer, from: Position, to: u16, pen: Pen, bytes: &mut Vec<u8>) {
    let gap = to - from.x;
    let mut between = (from.x..to).map(|x| &buffer[(x, from.y)]);
    let resend = gap <= 3 && between.all(|cell| pen_of(cell) == pen && cell.symbol().is_ascii());
    if resend {
        for x in from.x..to {
            bytes.extend_from_slice(buffer[(x, from.y)].symbol().as_bytes());
        }
    } else if gap == 1 {
        bytes.extend_from_slice(b"\x1b[C");
    } else {
        bytes.extend_from_slice(format!("\x1b[{gap}C").as_bytes());
    }
}

fn change_pen(from: Pen, to: Pen, bytes: &mut Vec<u8>) {
    let mut codes = Vec::new();
    let mut from = from;
    // Taking something away is done by starting anew: codes that switch one attribute off differ between terminals.
    if !(from.2 - to.2).is_empty()
        || (to.0 == Color::Reset && from.0 != to.0)
        || (to.1 == Color::Reset && from.1 != to.1)
    {
        codes.push("0".to_owned());
        from = (Color::Reset, Color::Reset, Modifier::empty());
    }
    for (flag, code) in [
        (Modifier::BOLD, "1"),
        (Modifier::DIM, "2"),
        (Modifier::ITALIC, "3"),
        (Modifier::UNDERLINED, "4"),
        (Modifier::REVERSED, "7"),
    ] {
        if to.2.contains(flag) && !from.2.contains(flag) {
            codes.push(code.into());
        }
    }
    if to.0 != from.0 {
        codes.push(color(to.0, 30));
    }
    if to.1 != from.1 {
        codes.push(color(to.1, 40));
    }
    bytes.extend_from_slice(format!("\x1b[{}m", codes.join(";")).as_bytes());
}

fn color(color: Color, base: u8) -> String {
    let index = match color {
        Color::Reset => return (base + 9).to_string(),
        Color::Rgb(r, g, b) => return format!("{};2;{r};{g};{b}", base + 8),
        Color::Indexed(i) => return format!("{};5;{i}", base + 8),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    if index < 8 { (base + index).to_string() } else { (base + 60 + index - 8).to_string() }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let byte = |i: usize| u32::from(part.get(i).copied().unwrap_or(0));
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let letter = char::from(LETTERS[(all >> (18 - 6 * i)) as usize & 63]);
            text.push(if i <= part.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn painter() -> Painter<Vec<u8>> {
        Painter::new(Vec::new(), Size::new(10, 2))
    }

    fn frame(text: &str, style: Style) -> Frame {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
        buffer.set_string(0, 0, text, style);
        Frame { buffer, cursor: None, title: None }
    }

    #[test]
    fn the_same_frame_again_sends_nothing() {
        let mut painter = painter();
        assert!(painter.paint(frame("hello", Style::default())).unwrap());
        let sent = painter.out.len();
        assert!(!painter.paint(frame("hello", Style::default())).unwrap());
        assert_eq!(painter.out.len(), sent);
        assert!(painter.paint(frame("hallo", Style::default())).unwrap());
        assert_eq!(&painter.out[sent..], b"\x1b[?2026h\x1b[1;2Ha\x1b[?2026l");
    }

    #[test]
    fn sixteen_colours_go_in_the_form_every_terminal_knows() {
        let mut painter = painter();
        painter.paint(frame("a", Style::default().fg(Color::Red).add_modifier(Modifier::REVERSED))).unwrap();
        let sent = String::from_utf8(painter.out).unwrap();
        assert!(sent.contains("\x1b[7;31ma\x1b[0m"), "{sent:?}");
    }

    #[test]
    fn base64_pads() {
        for (text, code) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }

    #[test]
    fn the_clipboard_code_is_wrapped_for_tmux() {
        let mut painter = painter();
        painter.copy("f", Multiplexer::Tmux).unwrap();
        assert_eq!(painter.out, b"\x1bPtmux;\x1b\x1b]52;c;Zg==\x07\x1b\\");
    }

    /// Whatever moves between two frames, the terminal shows the second one.
    #[test]
    fn a_terminal_shows_what_was_drawn_however_lines_moved() {
        let (width, height) = (60, 12);
        let mut painter = Painter::new(Vec::new(), Size::new(width, height));
        let mut terminal = vt100::Parser::new(height, width, 0);
        let mut seed = 7_u32;
        let mut dice = |sides: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % sides
        };
        let (mut top, mut moves) = (20_u32, 0);
        for _ in 0..500 {
            // Up or down by up to four lines, and now and then somewhere else; the row that stands out with it.
            top = if dice(9) == 0 { dice(40) } else { (top + dice(9)).saturating_sub(4) };
            let at = top + dice(8);
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            buffer.set_string(0, 0, "a head that stays", Style::default().add_modifier(Modifier::BOLD));
            for line in 0..8 {
                let number = top + line;
                let style = if number == at {
                    Style::default().add_modifier(Modifier::REVERSED)
                } else {
                    Style::default()
                };
                let text = format!("{:>4} 東京 customer of {}", number, "x".repeat((number % 23) as usize));
                buffer.set_string(0, 2 + line as u16, text, style);
            }
            buffer.set_string(0, 11, format!("details of {at}"), Style::default());
            painter.out.clear();
            painter.paint(Frame { buffer: buffer.clone(), cursor: None, title: None }).unwrap();
            moves += usize::from(painter.out.windows(3).any(|codes| codes == b"\x1b[r"));
            terminal.process(&painter.out);
            let screen = terminal.screen();
            for (y, shown) in screen.rows(0, width).enumerate() {
                let row: String = (0..width)
                    .scan(0, |skip, x| {
                        let symbol = buffer[(x, y as u16)].symbol();
                        let is_half =
                            std::mem::replace(skip, crate::ui::fit::width(symbol).saturating_sub(1)) > 0;
                        Some(if is_half { "" } else { symbol })
                    })
                    .collect();
                assert_eq!(shown.trim_end(), row.trim_end(), "line {y}");
            }
            let reversed = |x: u16, y: u16| screen.cell(y, x).is_some_and(vt100::Cell::inverse);
            for y in 0..height {
                let wanted = buffer[(0, y)].modifier.contains(Modifier::REVERSED);
                assert_eq!(reversed(0, y), wanted, "line {y}");
            }
        }
        assert!(moves > 100, "{moves}");
    }
}
