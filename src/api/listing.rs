//! Whole lists, and the certificate that nothing is missing (P7, sync-engine section 8).

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::model::packed::Identified;
use crate::model::{Class, Laid, PackedList, Problem, Stack};

/// Called with the rows received so far and, where the vendor says so, how many there are.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// What the caller keeps of a record, made as soon as its page has come: a list may be too long to be there twice.
pub type Form<'a, R, T> = &'a (dyn Fn(R) -> T + Send + Sync);

/// Whether absence from a list means anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub complete: bool,
    /// What the vendor says there are; `None` where it says nothing.
    pub total_claimed: Option<u64>,
    /// Distinct records received.
    pub seen: u64,
    /// Why it is not complete, for people.
    pub why_not: Option<String>,
}

impl Certificate {
    fn proven(self) -> Result<(), Problem> {
        let Some(why) = self.why_not else { return Ok(()) };
        let message = format!("What is there could not be read completely: {why}.");
        Err(Problem::new(Class::Listing, message).remedy("Nothing was concluded from it. Try again later."))
    }
}

/// The records of a list with its certificate.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    pub records: Vec<T>,
    pub certificate: Certificate,
    /// Records that could not be read, each with its id, and pages that failed.
    pub problems: Vec<Problem>,
}

impl<T> Listing<T> {
    /// A list that came in one complete answer (decision 34), unless something is to be said against it.
    pub fn whole(records: Vec<T>, problems: Vec<Problem>, why_not: Option<String>) -> Self {
        let why_not = why_not.or_else(|| {
            let first = problems.first()?;
            Some(format!("{} of its records could not be read: {}", problems.len(), first.message))
        });
        let certificate = Certificate {
            complete: why_not.is_none(),
            total_claimed: None,
            seen: records.len() as u64,
            why_not,
        };
        Self { records, certificate, problems }
    }

    /// The records, where that there are no others matters.
    ///
    /// # Errors
    /// A list that was not proven complete.
    pub fn proven(self) -> Result<Vec<T>, Problem> {
        self.certificate.proven().map(|()| self.records)
    }
}

impl<T> Listing<T> {
    /// The same of what `f` makes of each record.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Listing<U> {
        let Self { records, certificate, problems } = self;
        Listing { records: records.into_iter().map(f).collect(), certificate, problems }
    }
}

impl<T: Identified> Listing<T> {
    /// The same with its records packed.
    pub fn packed(self) -> PackedListing<T> {
        let Self { records, certificate, problems } = self;
        PackedListing { records: records.into_iter().collect(), certificate, problems }
    }
}

impl Listing<Laid> {
    /// The list of what was laid on a stack.
    pub fn from<T: Identified>(self, stack: Stack<T>) -> PackedListing<T> {
        let Self { records, certificate, problems } = self;
        PackedListing { records: stack.list(&records), certificate, problems }
    }
}

/// A listing of so many records that they are held packed, in the order of their ids.
#[derive(Clone)]
pub struct PackedListing<T> {
    pub records: PackedList<T>,
    pub certificate: Certificate,
    pub problems: Vec<Problem>,
}

impl<T: Identified> PackedListing<T> {
    /// As [`Listing::proven`].
    ///
    /// # Errors
    /// A list that was not proven complete.
    pub fn proven(self) -> Result<PackedList<T>, Problem> {
        self.certificate.proven().map(|()| self.records)
    }
}

/// One page, its rows already judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Id and record of each row, or why it cannot be used.
    pub rows: Vec<Result<(i64, T), Problem>>,
    /// What the page says there are in all.
    pub total: Option<u64>,
}

/// Fetches a page: its number from 1, and how many rows to ask for.
pub type Fetch<'a, T> = dyn Fn(u32, usize) -> BoxFuture<'a, Result<Page<T>, Problem>> + Send + Sync + 'a;

/// No list is longer than this many pages: a server that always finds one more is stopped here.
const PAGE_LIMIT: u32 = 1_000_000;

/// What proves that a paged list came whole (sync-engine 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The total that each page names, and that page 1 still says the same at the end.
    Total,
    /// Nothing is counted: an empty page, equal pages before it, and an end that stays the same when it is asked
    /// again. A short page proves nothing (apis/hudu.md 3).
    EmptyPage,
}

/// Reads every page of a list that is paged by number (apis/halopsa.md 2.7): goes on by the rows received, never by
/// pages computed from the size asked for, since servers cut that size silently; reads all again, once, if something
/// changed in between.
///
/// # Errors
/// The first page failed, or the sign-in or a right was refused on any. Another page that failed ends the list
/// without a certificate.
pub async fn read_pages<T: PartialEq>(
    name: &str,
    page_size: usize,
    proof: Proof,
    fetch: &Fetch<'_, T>,
    progress: Progress<'_>,
) -> Result<Listing<T>, Problem> {
    let first = read_once(name, page_size, proof, fetch, progress).await?;
    if first.certificate.complete || !first.worth_again {
        return Ok(first.into_listing());
    }
    tracing::info!(name, why = first.certificate.why_not, "reading the list again");
    let before = first.unordered.then(|| first.ids.clone());
    drop(first.records);
    let mut again = read_once(name, page_size, proof, fetch, progress).await?;
    // Where the order is nobody's promise, two readings of the same records stand for it.
    if again.unordered && before.is_some_and(|before| before == again.ids) {
        again.certificate.complete = true;
        again.certificate.why_not = None;
    }
    Ok(again.into_listing())
}

struct Pass<T> {
    records: Vec<T>,
    certificate: Certificate,
    problems: Vec<Problem>,
    /// Whether something changed while paging, which a second reading may settle.
    worth_again: bool,
    /// The only doubt is that the rows of a list without totals were not in the order of their ids.
    unordered: bool,
    /// In ascending order; kept for such lists only.
    ids: Vec<i64>,
}

impl<T> Pass<T> {
    fn into_listing(self) -> Listing<T> {
        let Self { mut records, certificate, problems, .. } = self;
        records.shrink_to_fit();
        Listing { records, certificate, problems }
    }
}

async fn read_once<T: PartialEq>(
    name: &str,
    asked: usize,
    proof: Proof,
    fetch: &Fetch<'_, T>,
    progress: Progress<'_>,
) -> Result<Pass<T>, Problem> {
    let mut records: Vec<T> = Vec::new();
    let mut places: HashMap<i64, usize> = HashMap::new();
    let mut problems = Vec::new();
    let mut doubts: Vec<String> = Vec::new();
    let mut worth_again = false;
    let mut total = None;
    let mut first_ids = Vec::new();
    let mut tail = Tail::default();
    let mut size = asked;
    let (mut received, mut last_id, mut pages) = (0_u64, i64::MIN, 0_u32);
    let mut ascending = true;

    for number in 1..=PAGE_LIMIT {
        let page = match fetch(number, size).await {
            Ok(page) => page,
            Err(problem) if number == 1 || problem.class == Class::Auth => return Err(problem),
            Err(problem) => {
                doubts.push(format!("page {number} could not be read: {problem}"));
                problems.push(problem);
                break;
            }
        };
        pages = number;
        if number == 1 {
            total = page.total;
            let known = usize::try_from(total.unwrap_or(0)).unwrap_or(usize::MAX).min(200_000);
            records.reserve(known);
            places.reserve(known);
            // The server's own limit: from here on ask for what it gives, so that its page 2 begins where page 1 ended.
            if !page.rows.is_empty()
                && page.rows.len() < asked
                && total.is_some_and(|total| total > page.rows.len() as u64)
            {
                size = page.rows.len();
            }
            first_ids = ids(&page);
        }
        if page.rows.is_empty() {
            break;
        }
        received += page.rows.len() as u64;
        if proof == Proof::EmptyPage {
            tail.page(number, page.rows.len(), ids(&page));
        }
        let mut new = 0;
        for row in page.rows {
            let (id, record) = match row {
                Ok(row) => row,
                Err(problem) => {
                    problems.push(problem);
                    new += 1;
                    continue;
                }
            };
            if let Some(place) = places.get(&id) {
                if records[*place] != record {
                    doubts.push(format!("record {id} came twice with different content"));
                    worth_again = true;
                }
                continue;
            }
            new += 1;
            ascending &= id > last_id;
            last_id = id;
            places.insert(id, records.len());
            records.push(record);
        }
        let seen = records.len() as u64 + problems.len() as u64;
        progress(records.len() as u64, total);
        if new == 0 {
            if proof == Proof::EmptyPage {
                doubts.push(format!("page {number} brought nothing new, so its end is not known"));
                worth_again = true;
            }
            // Nothing but repeats: the server ignores the page number, or its rows moved.
            break;
        }
        if total.is_some_and(|total| seen >= total) {
            break;
        }
    }

    if let Some(problem) = problems.iter().find(|problem| problem.class == Class::Record) {
        let unreadable = problems.iter().filter(|problem| problem.class == Class::Record).count();
        doubts.push(format!("{unreadable} of its records could not be read: {}", problem.message));
    }
    let seen = records.len() as u64;
    let mut unordered = false;
    if proof == Proof::EmptyPage && doubts.is_empty() {
        match tail.doubt(size, fetch).await {
            Ok(doubt) => {
                worth_again |= doubt.is_some();
                doubts.extend(doubt);
            }
            Err(problem) if problem.class == Class::Auth => return Err(problem),
            Err(problem) => {
                doubts.push(format!("its end could not be read again: {problem}"));
                problems.push(problem);
            }
        }
        if doubts.is_empty() && !ascending {
            (unordered, worth_again) = (true, true);
            doubts.push("its records were not in the order of their ids".to_owned());
        }
    }
    match total {
        _ if proof == Proof::EmptyPage || !doubts.is_empty() => {}
        None if received == 0 => {}
        None => doubts.push("it does not say how many records there are".to_owned()),
        Some(total) if total != seen => {
            worth_again = true;
            doubts.push(format!("{total} were announced, {seen} different ones received"));
        }
        Some(_) if !ascending => doubts.push("its records were not in the order of their ids".to_owned()),
        // Whatever moved between the first page and the last shows on the first.
        Some(total) if pages > 1 => match fetch(1, size).await {
            Ok(again) if again.total == Some(total) && same_start(&first_ids, &ids(&again)) => {}
            Ok(_) => {
                worth_again = true;
                doubts.push("it changed while it was read".to_owned());
            }
            Err(problem) if problem.class == Class::Auth => return Err(problem),
            Err(problem) => {
                doubts.push(format!("its first page could not be read again: {problem}"));
                problems.push(problem);
            }
        },
        Some(_) => {}
    }
    let why_not = (!doubts.is_empty())
        .then(|| format!("The list of {name} is not proven complete: {}.", doubts.join("; ")));
    let certificate = Certificate { complete: why_not.is_none(), total_claimed: total, seen, why_not };
    let mut ids: Vec<i64> = if unordered { places.into_keys().collect() } else { Vec::new() };
    ids.sort_unstable();
    Ok(Pass { records, certificate, problems, worth_again, unordered, ids })
}

/// The end of a list that counts nothing.
#[derive(Default)]
struct Tail {
    /// The last page that held rows; 0: none did.
    number: u32,
    ids: Vec<i64>,
    rows: usize,
    /// Rows of the first page.
    first: usize,
    /// A page before the last was shorter than the first, or a later one longer.
    uneven: bool,
}

impl Tail {
    fn page(&mut self, number: u32, rows: usize, ids: Vec<i64>) {
        if number == 1 {
            self.first = rows;
        } else {
            self.uneven |= self.rows != self.first || rows > self.first;
        }
        (self.number, self.rows, self.ids) = (number, rows, ids);
    }

    /// What speaks against this end. Rows that came or went anywhere before it have moved its last page.
    async fn doubt<T>(&self, size: usize, fetch: &Fetch<'_, T>) -> Result<Option<String>, Problem> {
        if self.uneven {
            return Ok(Some("its pages were not of one length".to_owned()));
        }
        if self.number > 0 && ids(&fetch(self.number, size).await?) != self.ids {
            return Ok(Some("its last page changed while it was read".to_owned()));
        }
        let beyond = fetch(self.number + 1, size).await?;
        Ok((!beyond.rows.is_empty()).then(|| "it went on behind an empty page".to_owned()))
    }
}

fn ids<T>(page: &Page<T>) -> Vec<i64> {
    page.rows.iter().filter_map(|row| row.as_ref().ok()).map(|(id, _)| *id).collect()
}

fn same_start(first: &[i64], again: &[i64]) -> bool {
    first.iter().zip(again).all(|(a, b)| a == b) && first.is_empty() == again.is_empty()
}
