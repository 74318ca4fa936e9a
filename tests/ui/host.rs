//! The screen on a host that others share: who else is here, what leaving means, a host that goes away (ux.md 8).

use parhelion::host::words::{Event, Presence, Viewer};
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
    Viewer { id, user: user.into(), from: from.map(str::to_owned), since: at("21T13:50"), pid: 4711 }
}

/// U41: a job of a host is none of the screen's business.
#[test]
fn leaving_asks_nothing_and_stops_nothing() {
    let mut rig = shared().rig();
    rig.keys("q");
    assert_eq!(rig.left(), Some(Left::Quit));
    assert!(rig.told().is_empty(), "{:?}", rig.told());
    let mut own = Start::default().with(|world| world.overview.running = Some(progress(187))).rig();
    own.keys("q").says("Leave with a job running?");
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
    let mut narrow = shared().rig();
    narrow.news(Event::Presence(Presence { viewers: one, warning: None }));
    narrow.says("+1 here");
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
