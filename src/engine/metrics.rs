//! Figures for a monitoring system in Prometheus' text format (P54): a file that is replaced whole after each job and
//! once a minute, and the same over HTTP on loopback. Counters are sums over all jobs that the index knows, so they
//! survive restarts. Labels are names of integrations, hosts, states and actions; never of customers.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use super::Engine;
use crate::engine::words::{Answer, Event, JobReport, JobState, Query};
use crate::model::{Integration, Place, Problem};
use crate::plan::Action;

/// How often the file is written while nothing happens: figures that stand still for longer mean a dead engine.
const INTERVAL: Duration = Duration::from_secs(60);

/// Keeps file and address up to date as long as the engine lives.
pub fn keep(engine: &Arc<Engine>) {
    let (weak, mut events) = (Arc::downgrade(engine), engine.events.subscribe());
    engine.spawn(async move {
        let mut served: Option<(String, JoinHandle<()>)> = None;
        loop {
            let Some(engine) = weak.upgrade() else { return };
            let address = engine.settings().profile.metrics.listen.clone();
            if served.as_ref().map_or("", |(at, _)| at) != address {
                if let Some((_, old)) = served.take() {
                    old.abort();
                }
                if !address.is_empty() {
                    served = Some((address.clone(), tokio::spawn(serve(address, weak.clone()))));
                }
            }
            engine.write_metrics();
            drop(engine);
            let news = async {
                loop {
                    match events.recv().await {
                        Ok(Event::Settings | Event::Job(_)) | Err(RecvError::Lagged(_)) => return true,
                        Ok(_) => {}
                        Err(RecvError::Closed) => return false,
                    }
                }
            };
            if matches!(tokio::time::timeout(INTERVAL, news).await, Ok(false)) {
                return;
            }
        }
    });
}

/// Answers `GET /metrics`. An address that is taken is said in the log; jobs do not depend on it.
async fn serve(address: String, engine: Weak<Engine>) {
    let answer = move || {
        let text = engine.upgrade().map(|engine| engine.metrics());
        async move {
            match text {
                Some(Ok(text)) => (axum::http::StatusCode::OK, text),
                Some(Err(problem)) => (axum::http::StatusCode::INTERNAL_SERVER_ERROR, problem.message),
                None => (axum::http::StatusCode::SERVICE_UNAVAILABLE, "The engine has stopped.".into()),
            }
        }
    };
    let routes = axum::Router::new().route("/metrics", axum::routing::get(answer));
    // The setting takes loopback addresses only; a store from elsewhere is not trusted to.
    let Some(at) = address.parse::<SocketAddr>().ok().filter(|at| at.ip().is_loopback()) else { return };
    let served = async { axum::serve(tokio::net::TcpListener::bind(at).await?, routes).await };
    if let Err(error) = served.await {
        tracing::warn!("figures cannot be served on {address}: {error}");
    }
}

impl Engine {
    /// Replaces the file, where one is set. A file that cannot be written stops nothing.
    pub(super) fn write_metrics(&self) {
        let file = self.settings().profile.metrics.file.clone();
        if file.is_empty() {
            return;
        }
        let written = self.metrics().map_err(|problem| problem.message).and_then(|text| {
            replace(Path::new(&file), &text).map_err(|error| format!("{file} cannot be written: {error}"))
        });
        if let Err(why) = written {
            tracing::warn!("figures for the monitoring: {why}");
        }
    }

    /// The figures as they stand.
    pub fn metrics(&self) -> Result<String, Problem> {
        let mut page = Page::default();
        page.family("info", "gauge", "The version that runs");
        page.line("info", &[("version", &env!("CARGO_PKG_VERSION"))], 1);
        jobs(&self.jobs(usize::MAX)?, &mut page);
        page.family(
            "throttles_total",
            "counter",
            "Answers that asked us to slow down, since the engine started",
        );
        page.family("budget_used", "gauge", "Requests in the present window");
        page.family("budget_limit", "gauge", "Requests that we allow ourselves in a window");
        for place in Place::all() {
            let budget = self.budget(place);
            let snapshot = budget.snapshot();
            page.line("throttles_total", &[("host", &place)], budget.throttles());
            page.line("budget_used", &[("host", &place)], snapshot.used);
            if let Some(limit) = snapshot.limit {
                page.line("budget_limit", &[("host", &place)], limit);
            }
        }
        page.family("open_issues", "gauge", "Records that wait for a person");
        for of in Integration::ALL {
            page.line("open_issues", &[("integration", &of)], self.book.issues(of)?.len());
        }
        page.family(
            "unmapped_customers",
            "gauge",
            "Customers at the source without a decision, when last read",
        );
        if let Answer::Overview(overview) = self.answer(Query::Overview)? {
            for view in overview.places.iter().filter(|view| view.place != Place::Halo) {
                page.line("unmapped_customers", &[("integration", &view.place)], view.map.unmapped);
            }
        }
        Ok(page.text())
    }
}

/// What the jobs add up to, and the last of each integration.
fn jobs(reports: &[JobReport], page: &mut Page) {
    let mut by_state: BTreeMap<(Integration, &str), u64> = BTreeMap::new();
    let mut rows: BTreeMap<(Integration, &str), u64> = BTreeMap::new();
    let mut requests: BTreeMap<Place, u64> = BTreeMap::new();
    for report in reports {
        *by_state.entry((report.integration, report.state.word())).or_default() += 1;
        for action in Action::ALL {
            *rows.entry((report.integration, action.key())).or_default() += report.totals.rows.get(action);
        }
        *rows.entry((report.integration, "failed")).or_default() += report.totals.failed;
        for (place, sent) in &report.requests {
            *requests.entry(*place).or_default() += sent;
        }
    }
    page.family("jobs_total", "counter", "Jobs by how they ended");
    for ((of, state), count) in by_state {
        page.line("jobs_total", &[("integration", &of), ("state", &state)], count);
    }
    page.family("rows_total", "counter", "Rows of all jobs by what became of them");
    for ((of, action), count) in rows {
        page.line("rows_total", &[("integration", &of), ("action", &action)], count);
    }
    page.family("requests_total", "counter", "Requests that jobs sent");
    for (place, sent) in requests {
        page.line("requests_total", &[("host", &place)], sent);
    }
    page.family("last_success_timestamp_seconds", "gauge", "When a job last ended without trouble");
    page.family("last_job_timestamp_seconds", "gauge", "When a job last ended");
    page.family("last_job_duration_seconds", "gauge", "How long that job took");
    page.family("last_job_held_rows", "gauge", "Rows that it held");
    for of in Integration::ALL {
        // Newest first.
        let mut ended = reports
            .iter()
            .filter(|report| report.integration == of)
            .filter_map(|report| Some((report, report.finished?)));
        let is_well = |state| matches!(state, JobState::Ok | JobState::Warnings);
        let success = ended.clone().find(|(report, _)| is_well(report.state));
        if let Some((_, at)) = success {
            page.line("last_success_timestamp_seconds", &[("integration", &of)], at.as_second());
        }
        if let Some((report, at)) = ended.next() {
            let label: &[(&str, &dyn Display)] = &[("integration", &of)];
            page.line("last_job_timestamp_seconds", label, at.as_second());
            page.line("last_job_duration_seconds", label, at.as_second() - report.started.as_second());
            page.line("last_job_held_rows", label, report.totals.rows.held);
        }
    }
}

/// Families in the order they were begun, each with its lines together, as the format wants them.
#[derive(Default)]
struct Page {
    families: Vec<(&'static str, String)>,
}

impl Page {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.families
            .push((name, format!("# HELP parhelion_{name} {help}\n# TYPE parhelion_{name} {kind}\n")));
    }

    fn line(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        let Some((_, text)) = self.families.iter_mut().find(|(family, _)| *family == name) else { return };
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        let _ = writeln!(text, "parhelion_{name}{{{}}} {value}", labels.join(","));
    }

    fn text(self) -> String {
        self.families.into_iter().map(|(_, text)| text).collect()
    }
}

/// Whole or not at all; readable by the collector, which is another user.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, file)
}
