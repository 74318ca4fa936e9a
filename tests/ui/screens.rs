//! Every screen in every size class, with nothing, little and much on it.

use parhelion::host::words::Leads;
use parhelion::host::words::ToDo;
use parhelion::ui::frames::Stage;
use parhelion::ui::theme::Depth;
use parhelion::ui::{Environment, Options, svg};
use ratatui::layout::Size;

use super::engine::{self, World};
use super::rig::Start;

/// The sizes of ux.md 13, and plain mode.
pub fn in_all_sizes(name: &str, start: impl Fn() -> Start, keys: &str) {
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 10), (39, 9)] {
        start().sized(width, height).rig().keys(keys).shows(&format!("{name}@{width}x{height}"));
    }
    start().plain().rig().keys(keys).shows(&format!("{name}@plain"));
}

#[test]
fn integrations() {
    in_all_sizes("integrations", Start::default, "j");
}

/// N7: who has set up nothing yet is told the two ways on.
#[test]
fn the_first_start() {
    let bare = |world: &mut World| {
        for view in &mut world.overview.places {
            let place = view.place;
            *view = engine::westcoast();
            view.place = place;
        }
        world.overview.last = None;
    };
    Start::default().with(bare).rig().shows("integrations-first-start@80x24");
}

#[test]
fn help() {
    in_all_sizes("help", Start::default, "?");
}

#[test]
fn palette() {
    in_all_sizes("palette", Start::default, ": t e");
}

#[test]
fn messages() {
    in_all_sizes("messages", Start::default, "w j w : m e s s a g e s <Enter>");
}

#[test]
fn settings() {
    in_all_sizes("settings", Start::default, "j <Enter> j");
}

#[test]
fn program_settings() {
    in_all_sizes("program", Start::default, ", j");
}

/// Names as long, wide and hostile as other systems may send them.
fn hostile(world: &mut World) {
    let also = &mut world.overview.places[1];
    also.account = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}admin\r\nroot".into();
    also.address = "https://東京電力ホールディングス株式会社.example/".repeat(3);
    also.options = vec!["عربي طويل جدا ".repeat(12), "👩‍👧‍👦 family ".repeat(20)];
    also.to_do = vec![ToDo { sentence: "e\u{301}".repeat(300), leads_to: Leads::Settings }];
    world.overview.profile = "acme".into();
    world.settings.settings.also.username = "a\u{1b}[45mb\u{200b}c".into();
    world.settings.top_levels = vec!["\u{9b}31mKunden 東京".into(); 30];
}

#[test]
fn hostile_names_reach_no_terminal() {
    for (width, height) in [(120, 36), (80, 24), (60, 16), (40, 10)] {
        for keys in ["j", "j w", "j <Enter> ] j", "j y r", "j ?", "j <Enter> j j <Enter>"] {
            let mut rig = Start::default().sized(width, height).with(hostile).rig();
            rig.keys(keys);
            let bytes = rig.tape.borrow().bytes.clone();
            let text = String::from_utf8(bytes).expect("whole characters");
            let mut rest = text.as_str();
            while let Some(at) = rest.find('\u{1b}') {
                rest = &rest[at + 1..];
                let known =
                    ["[", "]2;parhelion acme-msp", "]52;c;"].iter().any(|known| rest.starts_with(known));
                assert!(known, "{width}x{height} {keys}: {:?}", &rest[..rest.len().min(40)]);
                assert!(!rest.starts_with("[45m"), "a colour of theirs");
            }
            assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{9b}']), "{width}x{height} {keys}");
        }
    }
    Start::default().with(hostile).rig().keys("j").shows("integrations-hostile@80x24");
}

/// U48, U51: no colour, no line that is not ASCII, and everything is still told apart.
#[test]
fn ascii_without_colour() {
    let start = || {
        let mut start = Start::default();
        start.environment.locale = "C".into();
        start.environment.depth = Depth::None;
        start
    };
    let mut rig = start().rig();
    rig.keys("j").shows("integrations-ascii@80x24");
    rig.keys("q").says_not("\u{2500}");
    let mut rig = start().with(|world| world.overview.running = Some(engine::progress(187))).rig();
    rig.keys("q").shows("leave-ascii@80x24");
    let styles = rig.styles();
    assert!(styles.iter().all(|style| style.contains("Default Default")), "{styles:?}");
    assert!(rig.screen().is_ascii());
}

/// Pictures for the README are frames of the same screens.
#[test]
fn a_frame_becomes_a_picture() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    let picture = local.block_on(&runtime, async {
        let world = std::rc::Rc::new(std::cell::RefCell::new(World::new()));
        let (handle, _events) = engine::start(&world);
        let options = Options { profile: "acme-msp".into(), ..Options::default() };
        let environment =
            Environment { depth: Depth::Sixteen, locale: "C.UTF-8".into(), ..Environment::default() };
        let at = engine::at("21T14:05");
        let mut stage = Stage::new(handle, &options, &environment, Size::new(80, 24), at).await;
        stage.keys("j <Enter>").await.expect("keys");
        svg::frame(&stage.buffer(), stage.theme())
    });
    for part in ["PRODUCTION", "https://cloud.also.com", "[Details]"] {
        assert!(picture.contains(part), "{part}: {picture}");
    }
}
