//! The screen on a host that others share: who else is here, what leaving means, a host that goes away (ux.md 8).

use parhelion::host::words::{Command, Event, Looking, Presence, Viewer};
use parhelion::model::{Class, Problem};
use parhelion::ui::Left;

use super::engine::{at, progress};
use super::rig::Start;

fn shared() -> Start {
    let mut start = Start::default().with(|world| world.overview.running = Some(progress(187)));
    start.options.is_shared = true;
    start
}

fn viewer(id: u64, user: &str, from: Option<&str>) -> Viewer {
    let looking = Looking::default();
    Viewer { id, user: user.into(), from: from.map(str::to_owned), since: at("21T13:50"), pid: 4711, looking }
}

/// U41: a job of a host is none of the screen's business.
#[test]
fn leaving_asks_nothing_and_stops_nothing() {
    let mut rig = shared().rig();
    rig.keys("q");
    assert_eq!(rig.left(), Some(Left::Quit));
    let orders = rig.told().into_iter().filter(|command| !matches!(command, Command::LookAt(_)));
    assert_eq!(orders.count(), 0);
    let mut own = Start::default().with(|world| world.overview.running = Some(progress(187))).rig();
    own.keys("q").says("Leave with a job running?");
}

/// The screen is drawn and takes keys while its engine is still opening a large store; what comes then comes at once.
#[test]
fn the_screen_is_there_before_its_engine() {
    let starting = || {
        let mut start = shared().with(|world| world.is_away = true);
        start.options.is_starting = true;
        start.rig()
    };
    let mut rig = starting();
    rig.says("starting the engine ...").says("[1 Integrations]").shows("host-starting@80x24");
    rig.keys("2").says("[2 Customers]").keys("?").says("Help").keys("<Esc> 1").sent();
    rig.world.borrow_mut().is_away = false;
    rig.idle().says("187/312").says("Westcoast").says_not("starting");
    let mut rig = starting();
    rig.sent();
    rig.world.borrow_mut().is_away = false;
    rig.idle().says("187/312");
    assert_eq!(rig.sent().1, 1, "one frame more");
    let mut rig = starting();
    rig.keys("q");
    assert_eq!(rig.left(), Some(Left::Quit));
}

#[test]
fn an_engine_that_does_not_come_ends_the_screen_with_the_reason() {
    let reason = Problem::new(Class::Busy, "The store is in use by process 77.");
    let mut start = shared().with(|world| world.trouble = Some(reason.clone()));
    start.options.is_starting = true;
    assert_eq!(start.rig().left(), Some(Left::Failed(Box::new(reason.clone()))));
    // One that has been there is waited for.
    let mut rig = shared().rig();
    rig.world.borrow_mut().trouble = Some(reason);
    rig.news(Event::Missed);
    assert_eq!(rig.left(), None);
}

/// N21: one other by name, several by number, as far as there is room.
#[test]
fn the_header_says_who_else_is_here() {
    let mut rig = shared().sized(120, 36).rig();
    let one = vec![viewer(2, "anna", Some("203.0.113.9"))];
    rig.news(Event::Presence(Presence { viewers: one.clone(), warning: None }));
    rig.says("also here: anna@203.0.113.9").shows("host-one-other@120x36");
    let two = vec![one[0].clone(), viewer(3, "bert", None)];
    rig.news(Event::Presence(Presence { viewers: two, warning: None }));
    rig.says("also here: 2 others");
    rig.news(Event::Presence(Presence::default()));
    rig.says_not("also here");
    let mut narrow = shared().sized(90, 24).rig();
    narrow.news(Event::Presence(Presence { viewers: one, warning: None }));
    narrow.says("+1 here");
}

/// Whatever the size, the header says which pane this is.
#[test]
fn the_header_names_the_current_pane_at_every_size() {
    for (width, height) in [(40, 12), (60, 16), (80, 24)] {
        let mut rig = shared().sized(width, height).rig();
        for (key, pane) in [
            ("1", "[1 Integrations]"),
            ("2", "[2 Customers]"),
            ("3", "[3 Fields]"),
            ("4", "[4 Jobs]"),
            ("5", "[5 Lifecycle]"),
        ] {
            rig.keys(key).says(pane);
        }
    }
    shared().sized(40, 12).rig().keys("4").shows("host-jobs@40x12");
    shared().sized(60, 16).rig().keys("4").shows("host-jobs@60x16");
}

/// U46: until it is settled.
#[test]
fn the_strip_warns_that_jobs_end_with_the_session() {
    let mut rig = Start::default().rig();
    rig.says_not("jobs stop when you log out");
    let warning = Some("Jobs stop when you log out: install the service.".to_owned());
    rig.news(Event::Presence(Presence { viewers: Vec::new(), warning }));
    rig.says("jobs stop when you log out").shows("host-warning@80x24");
    let warning = Some("Jobs stop when you log out: install the service.".to_owned());
    let mut busy = shared().sized(120, 36).rig();
    busy.news(Event::Presence(Presence { viewers: Vec::new(), warning }));
    busy.says("0 failed").says("jobs stop when you log out");
}

/// U47: the screen keeps what it has and says why keys fail; a new snapshot takes the sentence away.
#[test]
fn a_host_that_is_gone_is_said_until_it_is_back() {
    let mut rig = shared().rig();
    let gone = Problem::new(Class::Local, "The host (process 77) has gone; looking for it ...");
    rig.news(Event::Broken(gone));
    rig.says("The host (process 77) has gone").says("1 Integrations");
    rig.news(Event::Missed);
    rig.says_not("has gone").says("187/312");
}

/// N21, U46: where the other is, and a word before the same thing is changed twice.
#[test]
fn two_people_at_one_thing_are_told_before_the_second_saves() {
    let mut rig = shared().sized(120, 36).rig();
    let mut anna = viewer(2, "anna", Some("203.0.113.9"));
    anna.looking = Looking { at: "Customers > ALSO > pick a Halo customer".into(), edits: None };
    rig.news(Event::Presence(Presence { viewers: vec![anna.clone()], warning: None }));
    rig.says("anna@203.0.113.9 in Customers").shows("host-where-the-other-is@120x36");
    // The host hears where this screen is, each place once.
    rig.keys("4").keys("2 m");
    let told: Vec<Looking> = rig
        .told()
        .into_iter()
        .filter_map(|command| match command {
            Command::LookAt(looking) => Some(looking),
            _ => None,
        })
        .collect();
    let mine = told.last().expect("told").clone();
    assert!(mine.at.contains("pick a Halo customer"), "{told:?}");
    assert!(told.iter().any(|looking| looking.at == "Jobs"), "{told:?}");
    let what = mine.edits.expect("a customer is mapped here");
    assert!(told.windows(2).all(|pair| pair[0] != pair[1]), "{told:?}");
    rig.says_not("agree before you save");
    anna.looking.edits = Some(what.clone());
    rig.news(Event::Presence(Presence { viewers: vec![anna.clone()], warning: None }));
    rig.says(&format!("anna@203.0.113.9 has {what} open too")).shows("host-same-row@120x36");
    // Said once, until one of the two has moved on.
    rig.keys("<Down>").says_not("open too");
    rig.news(Event::Presence(Presence { viewers: vec![anna.clone()], warning: None }));
    rig.says_not("open too");
    anna.looking.edits = None;
    rig.news(Event::Presence(Presence { viewers: vec![anna.clone()], warning: None }));
    anna.looking.edits = Some(what);
    rig.news(Event::Presence(Presence { viewers: vec![anna], warning: None }));
    rig.says("open too");
}

/// U46: a decision of one key is a save, too.
#[test]
fn one_key_on_a_row_that_somebody_else_has_open_asks_first() {
    let mut rig = shared().sized(120, 36).rig();
    rig.keys("2 m");
    let open = |rig: &super::rig::Rig| {
        rig.told().into_iter().rev().find_map(|command| match command {
            Command::LookAt(looking) => looking.edits,
            _ => None,
        })
    };
    let what = open(&rig).expect("a customer is mapped here");
    let decided = |rig: &super::rig::Rig| {
        rig.told().into_iter().filter(|command| matches!(command, Command::Decide { .. })).count()
    };
    let mut anna = viewer(2, "anna", Some("203.0.113.9"));
    anna.looking =
        Looking { at: "Customers > ALSO > pick a Halo customer".into(), edits: Some(what.clone()) };
    rig.keys("<Esc>");
    rig.news(Event::Presence(Presence { viewers: vec![anna.clone()], warning: None }));
    for key in ["n", "x", "r"] {
        rig.keys(key).says(&format!("anna@203.0.113.9 has {what} open")).says("Decide it all the same?");
        rig.keys("<Enter>").says("Decide it all the same?");
        rig.keys("<Esc>").says_not("Decide it all the same?");
    }
    assert_eq!(decided(&rig), 0, "{:?}", rig.told());
    rig.keys("n").shows("host-one-key-same-row@120x36");
    rig.keys("y");
    assert_eq!(decided(&rig), 1, "{:?}", rig.told());
    // Nobody is at another row, and nobody anywhere once she has left it.
    anna.looking.edits = None;
    rig.news(Event::Presence(Presence { viewers: vec![anna], warning: None }));
    rig.keys("n").says_not("Decide it all the same?");
    assert_eq!(decided(&rig), 2);
}

/// The strip has room for the beginning only: the sentence itself is said once, and kept among the messages.
#[test]
fn what_helps_against_the_end_of_the_session_is_said_in_full() {
    let mut rig = shared().rig();
    let warning = Some("Jobs stop when you log out: `loginctl enable-linger anna` keeps them.".to_owned());
    rig.news(Event::Presence(Presence { viewers: Vec::new(), warning: warning.clone() }));
    rig.says("enable-linger anna");
    rig.keys("j").says_not("enable-linger anna");
    rig.news(Event::Presence(Presence { viewers: Vec::new(), warning }));
    rig.says_not("enable-linger anna");
    rig.keys(": messages <Enter>").says("enable-linger anna");
}

/// A screen with an engine of its own has nobody to tell.
#[test]
fn an_engine_of_this_process_hears_nothing_of_where_the_screen_is() {
    let mut rig = Start::default().rig();
    rig.keys("4 2");
    assert!(!rig.told().iter().any(|command| matches!(command, Command::LookAt(_))), "{:?}", rig.told());
}
