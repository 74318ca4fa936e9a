//! What a person does, as keys (ux.md 5), and what must never happen whatever the keys.

use std::time::Duration;

use parhelion::host::words::{Command, Event, JobOrder, JobState};
use parhelion::model::{Class, JobId, Problem};
use parhelion::ui::{Left, Signal};

use super::engine::{job, progress};
use super::rig::{Start, rig};

#[test]
fn leaving_without_a_job_asks_nothing() {
    assert_eq!(rig().keys("q").left(), Some(Left::Quit));
    assert_eq!(rig().keys("<Ctrl-C>").left(), Some(Left::Quit));
    assert_eq!(rig().keys("<Esc>").left(), None, "Esc never leaves the program");
}

/// ux.md 11.
#[test]
fn another_profile_is_one_word_away() {
    let mut start = Start::default();
    start.options.profiles = vec!["acme".into(), "trial".into()];
    let mut rig = start.rig();
    rig.keys(": p r o f i l e <Space> t r i a l").says("Profile: trial");
    rig.keys("<Enter>");
    assert_eq!(rig.left(), Some(Left::Switch("trial".into())));
}

/// U41.
#[test]
fn leaving_with_a_job_asks_and_stops_it_first() {
    let running = || Start::default().with(|world| world.overview.running = Some(progress(187))).rig();
    let mut rig = running();
    rig.keys("q").says("J42 is at 187 of 312.").shows("leave@80x24");
    assert_eq!(rig.keys("<Enter>").left(), None, "Enter does nothing");
    assert_eq!(rig.keys("<Esc>").left(), None);
    assert!(rig.told().is_empty());
    rig.keys("q y");
    assert!(matches!(rig.told()[..], [Command::Stop]));
    assert_eq!(rig.left(), Some(Left::Stopped(JobId(42))));
}

/// U26: a held key or type-ahead cannot confirm.
#[test]
fn a_question_is_deaf_until_it_can_have_been_read() {
    let mut rig = Start::default().with(|world| world.overview.running = Some(progress(187))).rig();
    rig.burst("q y").says("Read first, then `y`.");
    assert_eq!(rig.left(), None);
    rig.keys("<Esc>");
    rig.burst("q");
    rig.keys("y");
    assert_eq!(rig.left(), Some(Left::Stopped(JobId(42))), "read for a second");
}

/// A question that there is no room to show cannot be answered.
#[test]
fn a_question_that_cannot_be_seen_hears_nothing() {
    let mut rig =
        Start::default().sized(39, 9).with(|world| world.overview.running = Some(progress(187))).rig();
    rig.says("The job goes on.").keys("q y");
    assert_eq!(rig.left(), None);
    rig.resize(80, 24).says("Leave with a job running?").keys("y");
    assert_eq!(rig.left(), Some(Left::Stopped(JobId(42))));
}

/// U41: the next start offers to go on.
#[test]
fn an_interrupted_job_is_offered_at_the_start() {
    let start = || {
        Start::default().with(|world| world.overview.interrupted = vec![job(42, JobState::Interrupted)]).rig()
    };
    let mut rig = start();
    rig.says("was interrupted at 187").shows("interrupted@80x24");
    rig.keys("y");
    assert!(matches!(rig.told()[..], [Command::Order { job: JobId(42), order: JobOrder::Resume }]));
    let mut rig = start();
    rig.keys("<Esc>").says_not("interrupted at");
    assert!(rig.told().is_empty());
}

#[test]
fn testing_a_connection_is_one_key() {
    let mut rig = rig();
    rig.keys("j t");
    assert!(matches!(&rig.told()[..], [Command::Test { draft, .. }] if draft.is_empty()));
}

/// U36: a key that cannot do its work gives the reason.
#[test]
fn what_is_not_possible_says_why() {
    rig().keys("<Space>").says("Halo is where everything goes");
    rig().keys("X").says("X does nothing here. ? shows what does.");
}

#[test]
fn a_message_stays_until_the_next_key() {
    let mut rig = rig();
    rig.keys("w").says("answered its last test");
    rig.pass(Duration::from_secs(3600)).says("answered its last test");
    rig.keys("j").says_not("answered its last test");
}

/// U31.
#[test]
fn a_paste_outside_a_field_runs_nothing() {
    let mut rig = rig();
    rig.paste("qqqqq\rttttt").says("A paste goes into text fields only");
    assert!(rig.told().is_empty() && rig.left().is_none());
    rig.burst("t t X t t t q t").says("8 keys came at once");
    assert!(rig.told().is_empty() && rig.left().is_none());
}

/// U30: an arrow that a slow link has split is an arrow.
#[test]
fn a_split_arrow_moves_and_runs_nothing() {
    let mut rig = rig();
    rig.burst("<Esc> [ B").says("── ALSO").says_not("nothing to take off");
}

/// U61.
#[test]
fn type_ahead_is_handled_in_full_before_one_frame() {
    let mut rig = rig();
    rig.sent();
    rig.burst("j k j k j k j k j k j k j k j k j k j j");
    let (_, writes) = rig.sent();
    assert_eq!(writes, 1);
    rig.says("── Westcoast Cloud");
}

/// U9.
#[test]
fn a_resize_keeps_the_selected_row_and_the_typed_text() {
    let mut rig = rig();
    rig.keys("j").resize(60, 16).resize(40, 10).resize(120, 36).resize(80, 24).says("── ALSO");
    rig.keys(": m e s s").resize(60, 16).says(": mess");
}

#[test]
fn hang_up_and_a_lost_terminal_end_it_at_once() {
    assert_eq!(rig().signal(Signal::HangUp).left(), Some(Left::Signal(1)));
    assert_eq!(rig().cut().left(), Some(Left::Signal(1)));
    assert_eq!(rig().signal(Signal::Terminate).left(), Some(Left::Signal(15)));
}

#[test]
fn an_engine_that_is_gone_is_said_and_nothing_breaks() {
    let gone = Problem::new(Class::Local, "The engine has stopped.").remedy("Start Parhelion again.");
    let mut rig = Start::default().with(|world| world.trouble = Some(gone)).rig();
    rig.says("The engine has stopped. Start Parhelion again.").keys("j t w <Enter> <Space> ? <Esc> 0 z");
    assert_eq!(rig.keys("q").left(), Some(Left::Quit));
}

/// Principle 3: news moves nothing.
#[test]
fn news_does_not_move_the_cursor() {
    let mut rig = rig();
    rig.keys("j");
    rig.world.borrow_mut().overview.places.rotate_left(1);
    rig.news(Event::Settings).says("── ALSO");
}

#[test]
fn the_clipboard_gets_what_was_chosen() {
    let mut rig = rig();
    rig.keys("j y").says("n name").keys("l").says("Sent to the terminal's clipboard: https://cloud.also.com");
    let sent = String::from_utf8_lossy(&rig.tape.borrow().bytes).into_owned();
    assert!(sent.contains("\x1b]52;c;aHR0cHM6Ly9jbG91ZC5hbHNvLmNvbQ==\x07"));
}

/// `:theme` shows a theme while it is selected, and Esc gives the old one back.
#[test]
fn a_theme_is_tried_and_taken_back() {
    let mut rig = rig();
    let before = rig.styles();
    rig.keys(": t h e m e <Space> m o n o");
    assert!(rig.styles() != before, "on trial");
    rig.keys("<Esc>");
    assert!(rig.styles() == before);
    rig.keys(": t h e m e <Space> m o n o <Enter>");
    assert!(rig.styles() != before, "taken");
}

/// U63: in plain mode news is one line at the bottom; nothing else is drawn until a key.
#[test]
fn plain_mode_tells_a_job_as_lines() {
    let mut rig = Start::default().plain().rig();
    let before = rig.screen();
    rig.news(Event::Progress(Box::new(progress(187)))).says("J42, 187/312 59%");
    let rows = |text: &str| text.lines().take(23).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&rig.screen()), rows(&before));
    rig.sent();
    rig.news(Event::Progress(Box::new(progress(188))));
    assert_eq!(rig.sent().1, 0, "the same tenth");
    rig.keys("j").says("J42 ALSO subscriptions");
}

/// U32: what is wrong in a person's keys is said at the start, and the rest is taken.
#[test]
fn a_persons_keys_are_read_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("keys.toml"), "test = \"T\"\nwhy = \"Ctrl-A\"\n").expect("written");
    let mut start = Start::default();
    start.options.config_dir = folder.path().to_owned();
    let mut rig = start.rig();
    rig.says("keys.toml:2: Ctrl-A cannot be used").keys("j T").says("Testing ALSO");
    rig.keys("t").says("t does nothing here");
}

/// U53: off unless switched on; then the wheel moves and a click selects.
#[test]
fn the_mouse_is_off_until_it_is_switched_on() {
    let mut rig = rig();
    assert!(!String::from_utf8_lossy(&rig.tape.borrow().bytes).contains("?1000h"));
    rig.keys(", j j <Enter>");
    assert!(String::from_utf8_lossy(&rig.tape.borrow().bytes).contains("?1000h"));
    rig.keys("<Esc>").click(5, 4).says("── ALSO").keys("<Enter>").says("> ALSO");
}
