//! Settings, secrets and 'Test configuration'.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use super::connect::missing;
use super::expiry::Expiry;
use super::keys;
use super::records::Record;
use crate::api::check;
use crate::engine::words::{Check, CheckState, Event, Reply, SavedChange, SettingChange, TestReport};
use crate::lifecycle::class::Budget;
use crate::model::settings::{SecretSource, Settings, SyncMode};
use crate::model::{Class, Currency, Integration, Place, Problem, Secret};
use crate::settings;

impl Engine {
    /// Changes settings, all or nothing.
    pub async fn set(&self, changes: &[SettingChange]) -> Result<Reply, Problem> {
        let old = self.settings();
        let mut new = (*old).clone();
        let mut notes = Vec::new();
        for change in changes {
            match &change.value {
                Some(value) => {
                    let (next, said) = settings::set(&new, &change.key, value)?;
                    new = next;
                    notes.extend(said);
                }
                None => new = settings::reset(&new, &change.key)?,
            }
        }
        notes.extend(push_note(&old, &new));
        notes.extend(self.currency_note(&old, &new)?);
        self.may_write_back(&old, &new)?;
        let keys: Vec<&str> = changes.iter().map(|c| c.key.as_str()).collect();
        let changed = differences(&old, &new, &keys)?;
        let step = self.field_step(&old, &new, &changed)?;
        self.save(new, changed.clone(), step).await?;
        Ok(Reply::Saved { changed, notes })
    }

    /// Writing dates back is not switched on while Halo is known to refuse it (section 8, 8).
    fn may_write_back(&self, old: &Settings, new: &Settings) -> Result<(), Problem> {
        if old.lifecycle.writes_back() || !new.lifecycle.writes_back() {
            return Ok(());
        }
        let test = self.last_test(Place::Of(Integration::Lifecycle))?;
        let is_refused =
            |check: &Check| check.name == check::ASSET_EDIT && check.message == check::NO_ASSET_EDIT;
        if test.is_some_and(|test| test.checks.iter().any(is_refused)) {
            return Err(Problem::new(
                Class::Auth,
                format!("Writing dates back stays off: {}.", check::NO_ASSET_EDIT),
            )
            .remedy("Then `parhelion test lifecycle`, and switch it on again."));
        }
        Ok(())
    }

    /// Budgets are amounts of the workspace's one currency: with another one they mean something else.
    fn currency_note(&self, old: &Settings, new: &Settings) -> Result<Option<String>, Problem> {
        let of = |settings: &Settings| {
            Currency::new(&settings.lifecycle.currency).or_else(|| Currency::new(&settings.halo.currency))
        };
        let (Some(was), Some(is)) = (of(old), of(new)) else { return Ok(None) };
        let priced = self.workspace()?.classes.iter().filter(|class| class.budget != Budget::NONE).count();
        Ok((was != is && priced > 0).then(|| {
            format!("The amounts of {priced} classes were typed in {was} and are not converted: they count as {is} now.")
        }))
    }

    /// Settings from a file. Plain secrets in it are sealed before the settings are stored.
    pub async fn import_settings(&self, text: &str) -> Result<Reply, Problem> {
        let old = self.settings();
        let import = settings::import(text, settings::Format::guess(text), &old).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Problem::new(Class::Input, lines.join("\n")).remedy("Nothing was changed.")
        })?;
        self.may_write_back(&old, &import.settings)?;
        for (key, secret) in &import.secrets {
            crate::logging::keep_out(secret);
            self.vault().set(key, secret)?;
            let record = Record::Secret { key: key.clone(), by: self.by() };
            self.book.record(&[record]).await?;
        }
        let changed: Vec<SavedChange> = import
            .changes
            .into_iter()
            .map(|c| SavedChange { key: c.key, before: c.before, after: c.after })
            .collect();
        let notes = import
            .notes
            .into_iter()
            .chain(push_note(&old, &import.settings))
            .chain(self.currency_note(&old, &import.settings)?)
            .collect();
        self.save(import.settings, changed.clone(), None).await?;
        for (key, _) in &import.secrets {
            self.forget_test(key)?;
        }
        Ok(Reply::Saved { changed, notes })
    }

    /// Seals one secret under the key of its setting.
    pub async fn seal(&self, key: &str, secret: &Secret) -> Result<Reply, Problem> {
        let new = settings::set_secret_source(&self.settings(), key, SecretSource::Sealed)?;
        if secret.expose().is_empty() {
            return Err(Problem::new(Class::Input, format!("The secret for {key} is empty."))
                .remedy("Nothing was changed."));
        }
        crate::logging::keep_out(secret);
        self.vault().set(key, secret)?;
        let record = Record::Secret { key: key.to_owned(), by: self.by() };
        self.book.record(&[record]).await?;
        let before = settings::get(&self.settings(), key).unwrap_or_default();
        let changed = vec![SavedChange { key: key.to_owned(), before, after: "(sealed)".into() }];
        self.save(new, changed, None).await?;
        self.forget_test(key)?;
        let mut said = format!("{key} is sealed.");
        if let Some(spaces) = settings::clean::stray_spaces(secret.expose()) {
            said.push_str(&format!(" Note: {spaces}"));
        }
        Ok(Reply::Done(said))
    }

    /// Stores settings; `with` is a fact that becomes durable in the same group of lines.
    pub(super) async fn save(
        &self,
        new: Settings,
        changes: Vec<SavedChange>,
        with: Option<Record>,
    ) -> Result<(), Problem> {
        if new == *self.settings() && changes.is_empty() {
            return Ok(());
        }
        // What identifies a connection is untested once it has changed (C5).
        for change in &changes {
            self.forget_test(&change.key)?;
        }
        let mut records = self.schedules_changed(&new);
        records.extend(self.push_begins(&new));
        records.extend(self.safe_mode_again(&new, &changes)?);
        records.extend(with);
        records.push(Record::Config { settings: Box::new(new.clone()), changes, by: self.by() });
        self.book.record(&records).await?;
        let mut live = self.live();
        if new.matching != live.settings.matching {
            // Every score follows from them.
            live.readings.clear();
            live.parties.clear();
        }
        live.settings = Arc::new(new);
        drop(live);
        self.scheduler.look_again();
        self.tell(Event::Settings);
        Ok(())
    }

    /// New customers of Halo go to Liongard by themselves from now on: those that are there already do not (L17).
    fn push_begins(&self, new: &Settings) -> Option<Record> {
        let goes = |settings: &Settings| {
            let sync = &settings.liongard.sync_customers;
            sync.enabled && sync.mode == SyncMode::Automatic
        };
        (goes(new) && !goes(&self.settings())).then(|| Record::PushSince { since: self.world.now() })
    }

    /// Another tenant or another address: whatever a person approved was of the old one (N16).
    fn safe_mode_again(&self, new: &Settings, changes: &[SavedChange]) -> Result<Vec<Record>, Problem> {
        let changed = |key: &str| changes.iter().any(|c| c.key == key && c.before != c.after);
        let other_halo = changed("halo.tenant") || changed("halo.resource_server");
        let mut records = Vec::new();
        for integration in Integration::ALL {
            let url = format!("{integration}.{}", new.of(integration).url_key);
            if (other_halo || changed(&url)) && !self.book.approved(integration)?.is_empty() {
                let (last, approved, missing) = (self.book.last(integration)?, BTreeSet::new(), Vec::new());
                records.push(Record::Seen { integration, last, approved, missing });
            }
        }
        Ok(records)
    }

    fn forget_test(&self, key: &str) -> Result<(), Problem> {
        const IDENTIFYING: [&str; 10] = [
            "url",
            "api_key",
            "marketplace_url",
            "username",
            "password",
            "resource_server",
            "authorisation_server",
            "tenant",
            "client_id",
            "client_secret",
        ];
        let Some((section, leaf)) = key.split_once('.') else { return Ok(()) };
        match section.parse::<Place>() {
            Ok(place) if IDENTIFYING.contains(&leaf) => {
                self.book.cache(&[crate::store::Op::Del(keys::tested(place))])
            }
            _ => Ok(()),
        }
    }

    /// 'Test configuration' (C10), on values that need not be saved. Never writes to the other system.
    pub async fn test(
        &self,
        place: Place,
        draft: &[SettingChange],
        secrets: &[(String, Secret)],
    ) -> Result<TestReport, Problem> {
        let mut settings = (*self.settings()).clone();
        for change in draft {
            settings = match &change.value {
                Some(value) => settings::set(&settings, &change.key, value)?.0,
                None => settings::reset(&settings, &change.key)?,
            };
        }
        let secret = |key: &str, source: &SecretSource| match secrets.iter().find(|(k, _)| k == key) {
            Some((_, secret)) => Ok(secret.clone()),
            None => self.secret(source, key),
        };
        let typed = |key: &str| secrets.iter().any(|(k, _)| k == key);
        let mut unset = missing(&settings, place);
        unset.retain(|leaf| !typed(&format!("{place}.{leaf}")));
        if !unset.is_empty() {
            return Ok(self.unset(place, &unset));
        }
        let (transport, budget) = (self.world.transport.clone(), self.budget(place));
        let mut checks = match place {
            Place::Halo => {
                let secret = secret("halo.client_secret", &settings.halo.client_secret)?;
                check::check_halo(&settings.halo, secret, transport, budget).await
            }
            Place::Of(Integration::Hudu) => {
                let key = secret("hudu.api_key", &settings.hudu.api_key)?;
                check::check_hudu(&settings.hudu, key, transport, budget).await
            }
            Place::Of(Integration::Lifecycle) => {
                let missing = missing(&settings, Place::Halo);
                if !missing.is_empty() {
                    return Ok(self.unset(Place::Halo, &missing));
                }
                let secret = secret("halo.client_secret", &settings.halo.client_secret)?;
                let writes_back = settings.lifecycle.writes_back();
                let budget = self.budget(Place::Halo);
                check::check_workspace(&settings.halo, secret, transport, budget, writes_back).await
            }
            Place::Of(Integration::Liongard) => {
                let of = &settings.liongard;
                let secret = secret("liongard.access_key_secret", &of.access_key_secret)?;
                let today = self.world.now().to_zoned(jiff::tz::TimeZone::system()).date();
                check::check_liongard(of, secret, today, transport, budget).await
            }
            Place::Of(integration) => {
                let Some(of) = settings.marketplace(integration) else { return Ok(self.unset(place, &[])) };
                let secret = secret(&format!("{integration}.password"), &of.password)?;
                check::check_marketplace(integration, of, secret, transport, budget).await
            }
        };
        // Liongard's own test says it already.
        if place != Place::Of(Integration::Liongard)
            && let Some(expiry) = Expiry::of(&settings, place, self.today())
        {
            // Near or past it says nothing of today's sign-in, which was just tried.
            let state = if expiry.is_near() { CheckState::Unproven } else { CheckState::Ok };
            checks.push(Check { name: "secret's end".into(), state, message: expiry.sentence() });
        }
        if place == Place::Of(Integration::Lifecycle)
            && let Ok(url) = crate::api::http::Url::parse(&settings.halo.resource_server)
            && let Some(outgoing) = self.world.transport.outgoing(&url).await
        {
            let name = crate::lifecycle::setup::OUTGOING.to_owned();
            checks.push(Check { name, state: CheckState::Ok, message: outgoing.to_string() });
        }
        let passed = !checks.iter().any(|c| matches!(c.state, CheckState::Failed | CheckState::Skipped));
        if passed && place == Place::Of(Integration::Hudu) && draft.is_empty() && settings.hudu.enabled {
            checks.extend(self.hudu_checks().await);
        }
        let ok = !checks.iter().any(|c| matches!(c.state, CheckState::Failed | CheckState::Skipped));
        let report = TestReport { place, ok, checks, at: self.world.now() };
        // A test of values that are not saved says nothing about those that are.
        if draft.is_empty() && secrets.is_empty() {
            self.book.cache(&keys::put_big(&keys::tested(place), &report))?;
            self.tell(Event::Settings);
        }
        Ok(report)
    }

    fn unset(&self, place: Place, missing: &[&str]) -> TestReport {
        let message = format!("Not set yet: {}.", missing.join(", "));
        let check = Check { name: "settings".into(), state: CheckState::Failed, message };
        TestReport { place, ok: false, checks: vec![check], at: self.world.now() }
    }

    pub fn last_test(&self, place: Place) -> Result<Option<TestReport>, Problem> {
        self.book.get_big(&keys::tested(place))
    }
}

/// The settings of these keys that differ, secrets as where they come from.
fn differences(old: &Settings, new: &Settings, keys: &[&str]) -> Result<Vec<SavedChange>, Problem> {
    let mut changed = Vec::new();
    for key in keys {
        let (before, after) = (settings::get(old, key)?, settings::get(new, key)?);
        if before != after {
            changed.push(SavedChange { key: (*key).to_owned(), before, after });
        }
    }
    Ok(changed)
}

/// What new settings mean for pushing, with the delay (L17a).
fn push_note(old: &Settings, new: &Settings) -> Option<String> {
    let told = |settings: &Settings| crate::integrations::liongard::pushes(&settings.liongard);
    let says = new.liongard.sync_customers.enabled && told(old) != told(new);
    says.then(|| format!("New Halo customers {}.", told(new)))
}
