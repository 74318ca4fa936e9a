//! The job line: never more than one, never covering anything (U5).

use std::fmt::Write as _;

use ratatui::layout::Rect;

use crate::host::words::{JobProgress, JobReport, JobState, Phase};
use crate::model::Entity;
use crate::plan::Purpose;
use crate::ui::canvas::Canvas;
use crate::ui::fit::thousands;
use crate::ui::theme::Role;

pub fn draw(canvas: &mut Canvas<'_>, area: Rect) {
    let used = job(canvas, area);
    let mirror = canvas.mirror;
    let said = "  jobs stop when you log out";
    let room = area.width.saturating_sub(used);
    // The whole sentence is among the messages.
    let is_running = mirror.broken.is_none() && mirror.progress.is_some();
    if is_running && mirror.presence.warning.is_some() && usize::from(room) >= said.len() {
        canvas.put_right(area.x + used, area.y, room, said, Role::Notice);
    }
}

/// Answers how wide it is.
fn job(canvas: &mut Canvas<'_>, area: Rect) -> u16 {
    let mirror = canvas.mirror;
    if let Some(problem) = &mirror.broken {
        canvas.put(area.x, area.y, area.width, &problem.to_string(), Role::Bad)
    } else if mirror.is_starting {
        canvas.put(area.x, area.y, area.width, "starting the engine ...", Role::Text)
    } else if let Some(progress) = &mirror.progress {
        let role = if progress.held + progress.failed > 0 { Role::Notice } else { Role::Text };
        canvas.put(area.x, area.y, area.width, &running(progress), role)
    } else if let Some((integration, reading)) = mirror.reading.iter().next() {
        let of = reading.of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
        let text =
            format!("reading {} {} {}{of}", integration.label(), reading.what, thousands(reading.done));
        canvas.put(area.x, area.y, area.width, &text, Role::Text)
    } else if mirror.presence.warning.is_some() {
        let text = "no job running     jobs stop when you log out; `:messages` says what helps";
        canvas.put(area.x, area.y, area.width, text, Role::Notice)
    } else {
        let text = mirror.last().map_or_else(
            || "no job running".to_owned(),
            |job| {
                let mut text =
                    format!("no job running     last: {} {}, {}", job.job, title(job), job.state.word());
                for (count, word) in [(job.totals.failed, "failed"), (job.totals.rows.held, "held")] {
                    if count > 0 {
                        let _ = write!(text, ", {} {word}", thousands(count));
                    }
                }
                if let Some(at) = job.finished {
                    let _ = write!(text, ", {}", canvas.when(at));
                }
                text
            },
        );
        canvas.put(area.x, area.y, area.width, &text, Role::Dim)
    }
}

/// `ALSO subscriptions`; a job of everything has the integration's name alone.
pub fn title(job: &JobReport) -> String {
    match (&job.purpose, job.purpose.title()) {
        (Purpose::Retry { .. } | Purpose::Undo { .. }, Some(title)) => return title,
        (_, Some(title)) => return format!("{}, {title}", job.integration.label()),
        (_, None) => {}
    }
    if job.entities == job.integration.usual() {
        return job.integration.label().to_owned();
    }
    format!("{} {}", job.integration.label(), entities(&job.entities))
}

/// The same with where it reads and writes: `ALSO -> Halo`, `Halo -> Hudu sites`.
pub fn heading(job: &JobReport) -> String {
    let (from, to) = job.integration.flow(&job.entities);
    let (title, from, to) = (title(job), from.label(), to.label());
    match &job.purpose {
        Purpose::Retry { .. } | Purpose::Undo { .. } => format!("{title}, {from} -> {to}"),
        _ if from == job.integration.label() => format!("{title} -> {to}"),
        _ => format!("{from} -> {title}"),
    }
}

pub fn entities(entities: &[Entity]) -> String {
    entities.iter().map(|entity| entity.key()).collect::<Vec<_>>().join(", ")
}

/// The stage that is under way: the first that is not done, else the last.
pub fn stage(progress: &JobProgress) -> Option<&crate::host::words::StageProgress> {
    progress.stages.iter().find(|stage| stage.done < stage.total).or(progress.stages.last())
}

/// Whole percent of all stages.
pub fn percent(progress: &JobProgress) -> Option<u64> {
    let (done, total) =
        progress.stages.iter().fold((0, 0), |(done, total), stage| (done + stage.done, total + stage.total));
    (total > 0).then(|| (done * 100 / total).min(100))
}

/// `187/312 60%`, or what is being read.
pub fn counters(progress: &JobProgress) -> String {
    match (&progress.phase, stage(progress)) {
        (Phase::Reading { what, done, of }, _) => {
            let of = of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
            format!("reading {what} {}{of}", thousands(*done))
        }
        (Phase::Planning, _) => "planning".into(),
        (Phase::Verifying { what }, _) => format!("checking {what}"),
        (Phase::Stopping, _) => "stopping after the record in hand".into(),
        (Phase::Applying, Some(stage)) if stage.total > 0 => {
            format!(
                "{}/{} {}%",
                thousands(stage.done),
                thousands(stage.total),
                stage.done * 100 / stage.total
            )
        }
        (Phase::Applying, _) => "starting".into(),
    }
}

fn running(progress: &JobProgress) -> String {
    let what =
        stage(progress).map_or_else(|| entities(&progress.entities), |stage| stage.entity.key().into());
    let mut text =
        format!("{} {} {what}  {}", progress.job, progress.integration.label(), counters(progress));
    if progress.is_paused {
        text.push_str("  paused");
    } else if let Some(waiting) = &progress.waiting {
        text.push_str("  ");
        text.push_str(waiting);
    } else if progress.phase == Phase::Applying {
        let _ = write!(text, "  {:.1}/s", progress.rate);
        if let Some(left) = progress.seconds_left {
            let _ = write!(text, "  {} left", time_left(left));
        }
    }
    let _ = write!(text, "  {} held  {} failed", progress.held, progress.failed);
    text
}

/// `4m`, `40s`, `2h 5m`.
pub fn time_left(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds.div_ceil(60)),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The colour of a job's state.
pub const fn state_role(state: JobState) -> Role {
    match state {
        JobState::Ok => Role::Good,
        JobState::Running => Role::Accent,
        JobState::Warnings | JobState::Partial | JobState::Held | JobState::Interrupted => Role::Notice,
        JobState::Failed => Role::Bad,
        JobState::Cancelled => Role::Dim,
    }
}
