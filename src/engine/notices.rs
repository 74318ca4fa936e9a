//! Notices to people who are not looking (P40), and pings to a dead man's switch (P41). Nothing here ever holds up or
//! fails a job: what cannot be delivered is said in the program's log.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::expiry::{self, Expiry};
use super::{Engine, keys};
use crate::api::budget::Budget;
use crate::api::webhook::{PACE, Webhook};
use crate::engine::words::{JobReport, JobState};
use crate::logging;
use crate::model::settings::{Occasion, SecretSource};
use crate::model::{Class, Date, Integration, JobId, Problem};

const WEBHOOK: &str = "profile.notify.webhook";
const PING: &str = "profile.notify.ping";
/// How long an engine that ends waits for what is still to be delivered.
const LAST_WAIT: Duration = Duration::from_secs(15);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a person is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub what: Occasion,
    pub integration: Option<Integration>,
    pub job: Option<JobId>,
    pub state: Option<JobState>,
    /// One sentence.
    pub text: String,
}

/// What is on its way.
pub struct Notices {
    state: Mutex<State>,
    errands: Mutex<JoinSet<()>>,
    /// Pings go in their order.
    turn: Arc<tokio::sync::Mutex<()>>,
    closing: CancellationToken,
    budget: Arc<Budget>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Notice>,
    is_sending: bool,
    quiet_until: Option<Instant>,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            errands: Mutex::default(),
            turn: Arc::default(),
            closing: CancellationToken::new(),
            budget: Budget::new(PACE),
        }
    }
}

impl Notices {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, errand: impl Future<Output = ()> + Send + 'static) {
        let mut errands = self.errands.lock().unwrap_or_else(PoisonError::into_inner);
        while errands.try_join_next().is_some() {}
        errands.spawn(errand);
    }

    pub(super) fn abort(&self) {
        self.errands.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Sends what waits without waiting for more, and ends.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        let mut errands = std::mem::take(&mut *self.errands.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while errands.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_WAIT, all).await;
    }
}

/// Reminds of secrets that expire, at once and once a day as long as the engine lives.
pub fn keep(engine: &Arc<Engine>) {
    let weak = Arc::downgrade(engine);
    engine.spawn(async move {
        loop {
            let Some(engine) = weak.upgrade() else { return };
            engine.remind();
            drop(engine);
            tokio::time::sleep(DAY).await;
        }
    });
}

impl Engine {
    /// A job begins.
    pub(super) fn job_begins(self: &Arc<Self>, report: &JobReport) {
        self.ping(report, "/start");
    }

    /// A job is over.
    pub(super) fn job_is_over(self: &Arc<Self>, report: &JobReport) {
        match report.state {
            JobState::Failed => self.ping(report, "/fail"),
            JobState::Interrupted if report.trouble.is_some() => self.ping(report, "/fail"),
            JobState::Ok | JobState::Warnings | JobState::Partial | JobState::Held => self.ping(report, ""),
            JobState::Cancelled | JobState::Interrupted | JobState::Running => {}
        }
        if self.settings().profile.notify.webhook == SecretSource::Unset {
            return;
        }
        match self.notices_of(report) {
            Ok(notices) => self.notify(notices),
            Err(problem) => tracing::warn!("no notice of {}: {problem}", report.job),
        }
    }

    /// What there is to say of a job that is over.
    fn notices_of(&self, report: &JobReport) -> Result<Vec<Notice>, Problem> {
        let (of, job) = (report.integration, report.job);
        let is_well = |state| matches!(state, JobState::Ok | JobState::Warnings);
        let mut notices = Vec::new();
        let mut say = |what, text: String| {
            let (integration, state) = (Some(of), Some(report.state));
            notices.push(Notice { what, integration, job: Some(job), state, text });
        };
        let label = of.label();
        let counts = format!("{} rows failed, {} are held", report.totals.failed, report.totals.rows.held);
        let trouble = report.trouble.as_ref().map(|trouble| logging::clean(&trouble.message).into_owned());
        match (report.state, trouble) {
            (JobState::Failed, why) => say(
                Occasion::Failure,
                format!("{label}: {job} failed. {}", why.unwrap_or_else(|| counts.clone())),
            ),
            (JobState::Interrupted, Some(why)) => {
                say(Occasion::Failure, format!("{label}: {job} was stopped and can be resumed. {why}"));
            }
            (JobState::Held, _) => {
                say(Occasion::Limit, format!("{label}: a safety limit held rows of {job}; {counts}."));
            }
            (JobState::Partial, _) => {
                say(Occasion::Partial, format!("{label}: {job} is done in part; {counts}."));
            }
            (state, _) if is_well(state) => {
                let earlier = self.book.jobs(50)?.into_iter().map(|(report, ..)| report);
                let before = earlier
                    .filter(|other| other.integration == of && other.job != job)
                    .find(|other| other.finished.is_some() && other.state != JobState::Cancelled);
                if before.is_some_and(|before| !is_well(before.state)) {
                    say(Occasion::Recovery, format!("{label}: {job} went well again."));
                }
            }
            _ => {}
        }
        let (key, now) = (keys::told_unmapped(of), self.parties(of)?.counts().unmapped);
        let before = self.book.get::<u64>(&key)?;
        if before != Some(now) {
            self.book.cache(&[keys::put(key, &now)])?;
        }
        if let Some(new) = now.checked_sub(before.unwrap_or(0)).filter(|new| *new > 0) {
            say(
                Occasion::Unmapped,
                format!("{label}: {new} more customers wait for a mapping, {now} in all."),
            );
        }
        Ok(notices)
    }

    /// Says once for each of 30, 7 and 1 days that a secret expires, and once that it has.
    pub fn remind(self: &Arc<Self>) {
        let mut notices = Vec::new();
        for expiry in Expiry::all(&self.settings(), self.today()) {
            let steps = expiry::NOTICES.into_iter().chain([-1]);
            let Some(step) = steps.filter(|step| expiry.days <= *step).min() else { continue };
            let key = keys::told_expiry(expiry.place);
            let said: Option<(Date, i64)> = self.book.get(&key).unwrap_or_default();
            if said.is_some_and(|(on, said)| on == expiry.on && said <= step) {
                continue;
            }
            let _ = self.book.cache(&[keys::put(key, &(expiry.on, step))]);
            let text = format!("{}.", expiry.sentence());
            notices.push(Notice { what: Occasion::Expiry, integration: None, job: None, state: None, text });
        }
        self.notify(notices);
    }

    /// Hands notices over to be sent, those that somebody wants. The first goes at once; what comes within the quiet
    /// time after it goes together.
    pub fn notify(self: &Arc<Self>, mut notices: Vec<Notice>) {
        let settings = self.settings();
        let wanted = &settings.profile.notify;
        notices.retain(|notice| wanted.on.contains(&notice.what));
        if notices.is_empty() || wanted.webhook == SecretSource::Unset {
            return;
        }
        let mut state = self.notices.state();
        state.waiting.append(&mut notices);
        if !std::mem::replace(&mut state.is_sending, true) {
            drop(state);
            let engine = self.clone();
            self.notices.spawn(async move { engine.deliver().await });
        }
    }

    async fn deliver(&self) {
        loop {
            let until = self.notices.state().quiet_until;
            if let Some(until) = until {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.notices.closing.cancelled() => {}
                }
            }
            let batch = {
                let mut state = self.notices.state();
                if state.waiting.is_empty() {
                    state.is_sending = false;
                    return;
                }
                std::mem::take(&mut state.waiting)
            };
            if let Err(problem) = self.post(&batch).await {
                tracing::warn!("{} notices were not delivered: {problem}", batch.len());
            }
            let quiet = Duration::from_secs(60 * u64::from(self.settings().profile.notify.quiet_minutes));
            let mut state = self.notices.state();
            state.quiet_until = Some(Instant::now() + quiet);
            if state.waiting.is_empty() {
                state.is_sending = false;
                return;
            }
        }
    }

    /// Sends one notice now, whatever is wanted, so that a person sees whether it arrives.
    pub async fn test_notice(&self) -> Result<String, Problem> {
        let text = "This is a test of notices from Parhelion.".to_owned();
        let notice = Notice { what: Occasion::Recovery, integration: None, job: None, state: None, text };
        self.post(&[notice]).await?;
        Ok("The test notice was taken.".into())
    }

    async fn post(&self, batch: &[Notice]) -> Result<(), Problem> {
        let settings = self.settings();
        let notify = &settings.profile.notify;
        let hook = self.hook(WEBHOOK, &notify.webhook)?;
        let (content_type, body) =
            body(&notify.template, &self.places.profile, &self.world.now().to_string(), batch);
        hook.post(content_type, body.as_bytes()).await
    }

    fn hook(&self, key: &'static str, source: &SecretSource) -> Result<Webhook, Problem> {
        if *source == SecretSource::Unset {
            return Err(Problem::new(Class::Input, format!("{key} is not set."))
                .remedy(format!("`parhelion secret set {key}` takes the address.")));
        }
        let url = self.secret(source, key)?;
        Webhook::new(key, &url, self.world.transport.clone(), self.notices.budget.clone())
    }

    /// Tells the dead man's switch of a scheduled run, in the order in which things happen.
    fn ping(self: &Arc<Self>, report: &JobReport, suffix: &'static str) {
        if !report.scheduled || self.settings().profile.notify.ping == SecretSource::Unset {
            return;
        }
        let (engine, turn) = (self.clone(), self.notices.turn.clone());
        self.notices.spawn(async move {
            let _turn = turn.lock().await;
            let source = engine.settings().profile.notify.ping.clone();
            let sent = match engine.hook(PING, &source) {
                Ok(hook) => hook.get(suffix).await,
                Err(problem) => Err(problem),
            };
            if let Err(problem) = sent {
                tracing::warn!("the ping was not delivered: {problem}");
            }
        });
    }
}

/// What is posted, and as what. Without a template a JSON object whose `text` is what chat programs show.
fn body(template: &str, profile: &str, at: &str, batch: &[Notice]) -> (&'static str, String) {
    let joined = |each: fn(&Notice) -> Option<String>| {
        let words: BTreeSet<String> = batch.iter().filter_map(each).collect();
        words.into_iter().collect::<Vec<_>>().join(", ")
    };
    let text: Vec<&str> = batch.iter().map(|notice| notice.text.as_str()).collect();
    let title = match batch {
        [one] => format!("Parhelion {profile}: {}", one.what.key()),
        many => format!("Parhelion {profile}: {} notices", many.len()),
    };
    let values = [
        ("title", title),
        ("text", text.join("\n")),
        ("event", joined(|notice| Some(notice.what.key().into()))),
        ("profile", profile.to_owned()),
        ("integration", joined(|notice| Some(notice.integration?.key().into()))),
        ("job", joined(|notice| Some(notice.job?.to_string()))),
        ("state", joined(|notice| Some(notice.state?.word().into()))),
        ("at", at.to_owned()),
    ];
    let known = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    let bare = filled(template, |name| known(name).map(|_| String::new()));
    let is_json = serde_json::from_str::<serde_json::Value>(&bare).is_ok();
    if template.trim().is_empty() {
        let mut object = serde_json::Map::new();
        object.insert("schema".into(), json!(1));
        object.extend(values.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        return ("application/json", serde_json::Value::Object(object).to_string());
    }
    let content_type = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
    (
        content_type,
        filled(template, |name| {
            let value = known(name)?;
            if !is_json {
                return Some(value.clone());
            }
            let quoted = json!(value).to_string();
            Some(quoted.strip_prefix('"')?.strip_suffix('"')?.to_owned())
        }),
    )
}

/// The template with `{name}` replaced, in one pass: what is put in is never looked at again.
fn filled(template: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        if let Some((value, behind)) =
            after.split_once('}').and_then(|(name, behind)| Some((value(name)?, behind)))
        {
            text.push_str(&value);
            rest = behind;
        } else {
            text.push('{');
            rest = after;
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(text: &str) -> Notice {
        let (integration, job) = (Some(Integration::Also), Some(JobId(7)));
        let (what, state) = (Occasion::Failure, Some(JobState::Failed));
        Notice { what, integration, job, state, text: text.into() }
    }

    #[test]
    fn a_template_is_filled_and_stays_json() {
        let hostile = notice("\"quoted\" {job}\nand \\ more");
        let (kind, text) =
            body(r#"{"blocks": [{"text": "{title}: {text}"}], "{no}": 1}"#, "acme", "now", &[hostile]);
        assert_eq!(kind, "application/json");
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["blocks"][0]["text"], "Parhelion acme: failure: \"quoted\" {job}\nand \\ more");
        assert_eq!(document["{no}"], 1);
        let (kind, text) = body("{integration} {job}: {text}", "acme", "now", &[notice("a"), notice("b")]);
        assert_eq!((kind, text.as_str()), ("text/plain; charset=utf-8", "also J7: a\nb"));
    }

    #[test]
    fn without_a_template_it_is_an_object_with_a_text() {
        let (_, text) = body("", "acme", "2026-01-31T02:30:00Z", &[notice("It failed.")]);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["schema"], 1);
        assert_eq!(document["text"], "It failed.");
        assert_eq!(document["event"], "failure");
        assert_eq!(document["state"], "failed");
    }
}
