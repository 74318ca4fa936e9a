//! The part of a job's log that is on the screen, asked for as it is needed.

use std::collections::{BTreeMap, BTreeSet};

use crate::host::words::{Answer, Event, Level, LogFilter, LogLine, Query};
use crate::model::JobId;
use crate::ui::message::News;
use crate::ui::turn::Turn;
use crate::ui::widgets::log::Follow;

/// The part of a job's log that is on the screen, and where a reader is in it.
#[derive(Debug, Clone)]
pub struct LogWindow {
    pub job: JobId,
    pub filter: LogFilter,
    pub follow: Follow,
    lines: BTreeMap<u64, LogLine>,
    asked: BTreeSet<u64>,
    /// A question for the number of lines is under way.
    counts: bool,
    /// The log has grown since it was asked.
    grew: bool,
}

impl LogWindow {
    /// Lines kept at most.
    const KEPT: usize = 4_000;

    pub fn of(job: JobId) -> Self {
        Self {
            job,
            filter: LogFilter::default(),
            follow: Follow::default(),
            lines: BTreeMap::new(),
            asked: BTreeSet::new(),
            counts: false,
            grew: false,
        }
    }

    pub fn query(&self, from: u64, limit: usize) -> Query {
        Query::Log { job: self.job, filter: self.filter.clone(), from, limit }
    }

    /// Asks how many lines there are.
    pub fn count(&mut self, turn: &mut Turn<'_>) {
        if self.counts {
            self.grew = true;
            return;
        }
        self.counts = true;
        turn.ask(self.query(0, 0));
    }

    pub fn set_level(&mut self, least: Option<Level>, turn: &mut Turn<'_>) {
        *self = Self { filter: LogFilter { least, text: String::new() }, ..Self::of(self.job) };
        self.count(turn);
    }

    pub fn hear(&mut self, news: &News, turn: &mut Turn<'_>) {
        match news {
            News::Engine(Event::Log { job, lines }) if *job == self.job => {
                if self.filter == LogFilter::default() {
                    self.follow.grown(*lines);
                } else {
                    self.count(turn);
                }
            }
            News::Answer(Query::Log { job, filter, from, limit }, result)
                if *job == self.job && *filter == self.filter =>
            {
                if *limit == 0 {
                    self.counts = false;
                }
                match result {
                    Ok(Answer::Log(view)) => {
                        self.follow.grown(view.total.max(self.follow.total));
                        self.lines.extend((view.first..).zip(view.lines.iter().cloned()));
                    }
                    _ => self.asked.retain(|line| line < from || *line >= from + *limit as u64),
                }
                if *limit == 0 && std::mem::take(&mut self.grew) {
                    self.count(turn);
                }
            }
            News::Missed => self.count(turn),
            _ => {}
        }
    }

    pub fn settle(&mut self, height: usize, turn: &mut Turn<'_>) {
        self.follow.keep_visible(height);
        let height = height as u64;
        let near =
            self.follow.top.saturating_sub(height)..(self.follow.top + 2 * height).min(self.follow.total);
        if self.lines.len() > Self::KEPT {
            self.lines.retain(|line, _| near.contains(line));
            self.asked.retain(|line| near.contains(line));
        }
        let missing: Vec<u64> = near.filter(|line| !self.asked.contains(line)).collect();
        if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
            self.asked.extend(missing.iter().copied());
            turn.ask(self.query(*first, (last - first + 1) as usize));
        }
    }

    pub fn line(&self, index: u64) -> Option<&LogLine> {
        self.lines.get(&index)
    }

    pub fn selected(&self) -> Option<&LogLine> {
        self.line(self.follow.at)
    }
}
