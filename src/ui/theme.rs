//! Roles to styles, and the signs lines are drawn with (ux.md 9 and 10).

use std::collections::BTreeMap;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};

macro_rules! roles {
    ($($role:ident $name:literal -> $fallback:expr;)*) => {
        /// What a piece of text means. A theme gives each a style; one that is missing falls back.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role { $($role),* }

        impl Role {
            pub const ALL: &[Self] = &[$(Self::$role),*];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$role => $name),* }
            }

            const fn fallback(self) -> Fallback {
                match self { $(Self::$role => $fallback),* }
            }
        }
    };
}

#[derive(Clone, Copy)]
enum Fallback {
    To(Role),
    Plain,
    Reverse,
    Underline,
    Bold,
}

roles! {
    Text "text" -> Fallback::Plain;
    Dim "dim" -> Fallback::Plain;
    Strong "strong" -> Fallback::Bold;
    Border "border" -> Fallback::To(Role::Dim);
    Accent "accent" -> Fallback::To(Role::Strong);
    BorderFocus "border_focus" -> Fallback::To(Role::Accent);
    Selected "selected" -> Fallback::Reverse;
    Marked "marked" -> Fallback::To(Role::Strong);
    Good "good" -> Fallback::To(Role::Text);
    Notice "notice" -> Fallback::To(Role::Strong);
    Bad "bad" -> Fallback::To(Role::Strong);
    New "new" -> Fallback::To(Role::Good);
    Change "change" -> Fallback::To(Role::Accent);
    Zero "zero" -> Fallback::To(Role::Bad);
    Inactive "inactive" -> Fallback::To(Role::Bad);
    Held "held" -> Fallback::To(Role::Notice);
    Same "same" -> Fallback::To(Role::Dim);
    MoneyUp "money_up" -> Fallback::To(Role::Text);
    MoneyDown "money_down" -> Fallback::To(Role::Text);
    Production "production" -> Fallback::Reverse;
    Sandbox "sandbox" -> Fallback::To(Role::Text);
    Input "input" -> Fallback::To(Role::Text);
    Cursor "cursor" -> Fallback::Reverse;
    Match "match" -> Fallback::Underline;
    HintKey "hint_key" -> Fallback::To(Role::Strong);
    HintText "hint_text" -> Fallback::To(Role::Dim);
    Disabled "disabled" -> Fallback::To(Role::Dim);
}

/// The themes that are compiled in.
pub const SHIPPED: [(&str, &str); 6] = [
    ("default", include_str!("../../themes/default.toml")),
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// The colours a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// Bold, underline and reverse only.
    None,
    #[default]
    Sixteen,
    Indexed,
    True,
}

impl Depth {
    /// From the environment (U48, U49): `NO_COLOR`, `TERM`, `COLORTERM`.
    pub fn detect(no_color: bool, term: &str, colorterm: &str) -> Self {
        let old = term.is_empty() || term == "dumb" || term == "unknown" || term.starts_with("vt");
        match colorterm {
            _ if no_color || old => Self::None,
            "truecolor" | "24bit" => Self::True,
            _ if term.ends_with("256color") => Self::Indexed,
            _ => Self::Sixteen,
        }
    }
}

/// Resolved styles, one a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    pub name: String,
    styles: BTreeMap<Role, Style>,
}

impl Theme {
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }

    fn resolve(name: &str, depth: Depth, values: &BTreeMap<Role, Vec<Look>>) -> Self {
        let styles = Role::ALL.iter().map(|role| (*role, style_of(*role, depth, values))).collect();
        Self { name: name.to_owned(), styles }
    }
}

/// The themes that can be named: the shipped ones, and a person's own, read once at the start.
#[derive(Debug, Clone, Default)]
pub struct Themes {
    /// Path and text by name.
    own: BTreeMap<String, (String, String)>,
}

impl Themes {
    /// Reads a person's own themes.
    pub fn read(folder: &Path) -> Self {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let own = files.filter_map(|file| {
            let name = file.file_name().to_str()?.strip_suffix(".toml")?.to_owned();
            let text = std::fs::read_to_string(file.path()).ok()?;
            Some((name, (file.path().display().to_string(), text)))
        });
        Self { own: own.collect() }
    }

    /// Shipped ones first.
    pub fn names(&self) -> Vec<String> {
        let shipped = SHIPPED.iter().map(|(name, _)| (*name).to_owned());
        let own = self.own.keys().filter(|name| !SHIPPED.iter().any(|(known, _)| known == name)).cloned();
        shipped.chain(own).collect()
    }

    /// A theme by name; a person's own goes before a shipped one. Complaints name file, line and what would do; what is
    /// wrong falls back.
    pub fn load(&self, name: &str, depth: Depth) -> (Theme, Vec<String>) {
        let mut complaints = Vec::new();
        let mut values = BTreeMap::new();
        self.collect(name, &mut values, &mut complaints, 0);
        (Theme::resolve(name, depth, &values), complaints)
    }

    fn text(&self, name: &str) -> Option<(String, &str)> {
        let own = self.own.get(name).map(|(path, text)| (path.clone(), text.as_str()));
        own.or_else(|| {
            let (_, text) = SHIPPED.iter().find(|(known, _)| *known == name)?;
            Some((format!("{name}.toml"), *text))
        })
    }

    fn collect(
        &self,
        name: &str,
        values: &mut BTreeMap<Role, Vec<Look>>,
        complaints: &mut Vec<String>,
        depth: usize,
    ) {
        let Some((path, text)) = self.text(name) else {
            complaints.push(format!(
                "There is no theme '{name}'; there are {}. The default is used.",
                self.names().join(", ")
            ));
            if name != "default" {
                self.collect("default", values, complaints, depth);
            }
            return;
        };
        let table: toml::Table = match toml::from_str(text) {
            Ok(table) => table,
            Err(error) => {
                complaints.push(format!("{path}: {}. The default theme is used.", error.message()));
                return;
            }
        };
        if let Some(parent) = table.get("parent").and_then(toml::Value::as_str) {
            if depth < 8 && parent != name {
                self.collect(parent, values, complaints, depth + 1);
            } else {
                complaints.push(format!("{path}: the parents of this theme go round in a circle."));
            }
        }
        for (key, value) in table.iter().filter(|(key, _)| *key != "parent") {
            let line =
                text.lines().position(|l| l.trim_start().starts_with(key.as_str())).map_or(1, |i| i + 1);
            let Some(role) = Role::ALL.iter().find(|role| role.name() == key) else {
                let known: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
                complaints
                    .push(format!("{path}:{line}: '{key}' is not a role; roles are {}.", known.join(" ")));
                continue;
            };
            match looks(value) {
                Ok(looks) => {
                    values.insert(*role, looks);
                }
                Err(what) => complaints.push(format!("{path}:{line}: {what}. The fallback is used.")),
            }
        }
    }
}

/// One value of a role: a style, and the colours it needs.
#[derive(Debug, Clone, Copy)]
struct Look {
    style: Style,
    needs: Depth,
}

fn style_of(role: Role, depth: Depth, values: &BTreeMap<Role, Vec<Look>>) -> Style {
    if let Some(looks) = values.get(&role) {
        // Best first; without colours the attributes of the last, simplest one count.
        if let Some(look) = looks.iter().find(|look| look.needs <= depth) {
            return look.style;
        }
        if let Some(look) = looks.last() {
            let bare = Style { fg: None, bg: None, ..look.style };
            if bare != Style::default() {
                return bare;
            }
        }
    }
    match role.fallback() {
        Fallback::To(other) => style_of(other, depth, values),
        Fallback::Plain => Style::default(),
        Fallback::Reverse => Style::default().add_modifier(Modifier::REVERSED),
        Fallback::Underline => Style::default().add_modifier(Modifier::UNDERLINED),
        Fallback::Bold => Style::default().add_modifier(Modifier::BOLD),
    }
}

fn looks(value: &toml::Value) -> Result<Vec<Look>, String> {
    match value {
        toml::Value::String(text) => Ok(vec![look(text)?]),
        toml::Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| item.as_str().ok_or_else(|| "a style is written as text".to_owned()).and_then(look))
            .collect(),
        _ => Err("a style is written as text, or as a list of texts, best first".into()),
    }
}

/// Reads `bold red`, `#ffaa00 on 236 underline`.
fn look(text: &str) -> Result<Look, String> {
    let mut style = Style::default();
    let mut needs = Depth::None;
    let mut on = false;
    for word in text.split_whitespace() {
        let attribute = match word {
            "on" => {
                on = true;
                continue;
            }
            "bold" => Some(Modifier::BOLD),
            "dim" => Some(Modifier::DIM),
            "italic" => Some(Modifier::ITALIC),
            "underline" => Some(Modifier::UNDERLINED),
            "reverse" => Some(Modifier::REVERSED),
            "plain" => Some(Modifier::empty()),
            _ => None,
        };
        if let Some(attribute) = attribute {
            style = style.add_modifier(attribute);
            continue;
        }
        let (color, depth) = color(word).ok_or_else(|| {
            format!(
                "'{word}' is neither a colour (default black red green yellow blue magenta cyan white, these with \
                 bright- before them, 0 to 255, #rrggbb) nor bold dim italic underline reverse plain"
            )
        })?;
        needs = needs.max(depth);
        style = if std::mem::take(&mut on) { style.bg(color) } else { style.fg(color) };
    }
    Ok(Look { style, needs })
}

fn color(word: &str) -> Option<(Color, Depth)> {
    let named = match word {
        "default" => return Some((Color::Reset, Depth::None)),
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        _ => {
            if let Ok(index) = word.parse::<u8>() {
                return Some((Color::Indexed(index), Depth::Indexed));
            }
            let hex = word.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.is_ascii())?;
            let part = |range| u8::from_str_radix(&hex[range], 16).ok();
            return Some((Color::Rgb(part(0..2)?, part(2..4)?, part(4..6)?), Depth::True));
        }
    };
    Some((named, Depth::Sixteen))
}

/// Which characters lines and boxes are drawn with. State signs are ASCII in all sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signs {
    #[default]
    Light,
    Ascii,
    Heavy,
}

/// The pieces of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    pub across: &'static str,
    pub down: &'static str,
    /// Top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
}

impl Signs {
    pub const ALL: [Self; 3] = [Self::Light, Self::Ascii, Self::Heavy];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Ascii => "ascii",
            Self::Heavy => "heavy",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signs| signs.name() == name)
    }

    /// Box lines where the locale says UTF-8, else ASCII.
    pub fn detect(locale: &str) -> Self {
        let locale = locale.to_ascii_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") { Self::Light } else { Self::Ascii }
    }

    pub const fn lines(self, focused: bool) -> Lines {
        match (self, focused) {
            (Self::Ascii, false) => Lines { across: "-", down: "|", corners: ["+", "+", "+", "+"] },
            (Self::Ascii, true) => Lines { across: "#", down: "#", corners: ["#", "#", "#", "#"] },
            (Self::Light, false) => {
                Lines { across: "─", down: "│", corners: ["┌", "┐", "└", "┘"] }
            }
            (Self::Light, true) | (Self::Heavy, false) => {
                Lines { across: "━", down: "┃", corners: ["┏", "┓", "┗", "┛"] }
            }
            (Self::Heavy, true) => {
                Lines { across: "═", down: "║", corners: ["╔", "╗", "╚", "╝"] }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_is_free_of_complaints() {
        for (name, _) in SHIPPED {
            for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
                let (theme, complaints) = Themes::default().load(name, depth);
                assert_eq!(complaints, Vec::<String>::new(), "{name}");
                assert_ne!(theme.style(Role::Selected), theme.style(Role::Text), "{name}");
                assert_ne!(theme.style(Role::Production), theme.style(Role::Text), "{name}");
            }
        }
    }

    #[test]
    fn without_colours_no_theme_has_any() {
        for (name, _) in SHIPPED {
            let (theme, _) = Themes::default().load(name, Depth::None);
            for role in Role::ALL {
                let style = theme.style(*role);
                let bare = |c: Option<Color>| c.is_none_or(|c| c == Color::Reset);
                assert!(bare(style.fg) && bare(style.bg), "{name} {}", role.name());
            }
        }
    }

    #[test]
    fn sixteen_colour_themes_stay_within_sixteen() {
        for (name, _) in SHIPPED {
            let (theme, _) = Themes::default().load(name, Depth::Sixteen);
            for role in Role::ALL {
                let style = theme.style(*role);
                for color in [style.fg, style.bg].into_iter().flatten() {
                    assert!(!matches!(color, Color::Indexed(_) | Color::Rgb(..)), "{name} {}", role.name());
                }
            }
        }
    }

    #[test]
    fn the_default_has_no_background_and_nothing_bright() {
        let (theme, _) = Themes::default().load("default", Depth::True);
        for role in Role::ALL {
            let style = theme.style(*role);
            assert_eq!(style.bg, None, "{}", role.name());
            let dark = [Color::Red, Color::Green, Color::Yellow, Color::Blue, Color::Magenta, Color::Cyan];
            assert!(style.fg.is_none_or(|fg| dark.contains(&fg)), "{}", role.name());
        }
    }

    #[test]
    fn a_theme_of_one_line_works_and_a_wrong_value_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "mine.toml",
            "parent = \"dark\"\naccent = \"bold magenta\"\nbad = \"rde\"\nhintkey = \"red\"\n",
        );
        let (theme, complaints) = Themes::read(folder.path()).load("mine", Depth::Sixteen);
        assert_eq!(theme.style(Role::BorderFocus).fg, Some(Color::Magenta), "falls back to accent");
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert!(
            complaints.iter().any(|c| c.contains("mine.toml:3: 'rde' is neither a colour")),
            "{complaints:?}"
        );
        assert!(
            complaints.iter().any(|c| c.contains("mine.toml:4: 'hintkey' is not a role")),
            "{complaints:?}"
        );
        write("loop.toml", "parent = \"loop\"\n");
        assert_eq!(Themes::read(folder.path()).load("loop", Depth::Sixteen).1.len(), 1);
        let (gone, complaints) = Themes::default().load("gone", Depth::Sixteen);
        assert!(complaints[0].contains("no theme 'gone'"));
        assert_eq!(
            gone.style(Role::Good),
            Themes::default().load("default", Depth::Sixteen).0.style(Role::Good)
        );
    }

    #[test]
    fn the_environment_chooses_the_depth() {
        assert_eq!(Depth::detect(true, "xterm-256color", "truecolor"), Depth::None);
        assert_eq!(Depth::detect(false, "vt220", ""), Depth::None);
        assert_eq!(Depth::detect(false, "dumb", "truecolor"), Depth::None);
        assert_eq!(Depth::detect(false, "", ""), Depth::None);
        assert_eq!(Depth::detect(false, "xterm", ""), Depth::Sixteen);
        assert_eq!(Depth::detect(false, "screen-256color", ""), Depth::Indexed);
        assert_eq!(Depth::detect(false, "xterm-256color", "truecolor"), Depth::True);
        assert_eq!(Signs::detect("C"), Signs::Ascii);
        assert_eq!(Signs::detect("en_GB.UTF-8"), Signs::Light);
    }
}
