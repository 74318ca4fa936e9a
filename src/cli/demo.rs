//! `demo`: everything on simulated vendors and throw-away data (decision 26).

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;

use super::args::{self, Args};
use super::exit::{Failure, of_demo, worst};
use super::json::JobsDocument;
use super::out::{Out, complain, has_terminal};
use super::progress::{Signals, attended, job_end};
use super::{ask, map, order, screen, text};
use crate::host::words::{Command, JobReport, JobState, MapFilter, MapState, Query, Reply};
use crate::host::{Handle, Home, Options};
use crate::model::{Class, Decision, Integration, Place, Problem};
use crate::plan::Purpose;
use crate::sandbox::{self, Sandbox, Served};

/// Of the customers that 'Generate mappings' maps, one in so many is given back, so that there is something to map.
const GIVEN_BACK: usize = 12;

pub fn run(args: &Args, demo: &args::Demo, out: &Out) -> Result<u8, Failure> {
    // The vendors get threads of their own: the screen and the engine must not share theirs with what they talk to.
    let vendors =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(
            |error| {
                Problem::new(Class::Local, format!("This machine gives the program no threads: {error}."))
            },
        )?;
    // Heard from before the folder is there, so that an early Ctrl-C leaves nothing behind either.
    let mut signals = vendors.block_on(async { Signals::listen() })?;
    let folder = Throwaway::make()?;
    let options = sandbox::Options { size: demo.size, seed: demo.seed, ..sandbox::Options::default() };
    let served = vendors
        .block_on(Sandbox::new(options).serve(IpAddr::V4(Ipv4Addr::LOCALHOST)))
        .map_err(|error| super::sandbox::unserved(&error))?;
    let home = Home::open(&Options {
        data_dir: Some(folder.path().join("data")),
        profile: Some("demo".into()),
        key_file: Some(folder.path().join("demo.key")),
        schedules: true,
        command: args.words(),
    })?;
    let handle = home.handle();
    let runtime = super::runtime()?;
    if vendors.block_on(async { signals.next().now_or_never() }).is_some() {
        return Err(Failure::interrupted(Problem::new(
            Class::Cancelled,
            "The demonstration was interrupted.",
        )));
    }
    let result = runtime.block_on(prepare(out, &handle, &served)).and_then(|()| {
        if demo.headless || out.json || !has_terminal() {
            runtime.block_on(headless(out, &handle))
        } else {
            screen::show(args, &handle, home.places(), home.notice().map(str::to_owned))
        }
    });
    home.close();
    result
}

/// Imports the sandbox's settings and makes the mappings that an installation in use would have.
async fn prepare(out: &Out, handle: &Handle, served: &Served) -> Result<(), Failure> {
    let text = served.document().to_string();
    order!(handle, Command::ImportSettings { text }, Reply::Saved { .. } => ())?;
    for place in Place::all() {
        let test = async {
            let command = Command::Test { place, draft: Vec::new(), secrets: Vec::new() };
            order!(handle, command, Reply::Tested(_) => ())
        };
        attended(out, handle, test).await?;
    }
    for integration in Integration::ALL {
        if integration == Integration::Lifecycle {
            continue;
        }
        map::read(out, handle, integration).await?;
        let generate = async { order!(handle, Command::Generate { integration }, Reply::Generated(_) => ()) };
        attended(out, handle, generate).await?;
        let filter = MapFilter { states: [MapState::Mapped].into(), ..MapFilter::default() };
        let mut mapped =
            ask!(handle, Query::MapOrder { integration, filter, by_target: false }, MapOrder)?.ids;
        mapped.sort();
        let decisions: Vec<_> =
            mapped.into_iter().step_by(GIVEN_BACK).map(|id| (id, Decision::Clear)).collect();
        if !decisions.is_empty() {
            handle.send(Command::Decide { integration, decisions }).await?;
        }
    }
    Ok(())
}

/// One manual run of all entities for each integration, in order.
async fn headless(out: &Out, handle: &Handle) -> Result<u8, Failure> {
    let mut reports: Vec<JobReport> = Vec::new();
    for integration in Integration::ALL {
        let work = async {
            // All that it takes by itself.
            let entities = Vec::new();
            let command = Command::Run {
                integration,
                entities,
                scheduled: false,
                allow_removals: false,
                urgent: false,
                purpose: Purpose::Whole,
            };
            let job = order!(handle, command, Reply::Started(job) => job)?;
            job_end(handle, job).await
        };
        let report = attended(out, handle, work).await?;
        let is_over = report.state == JobState::Interrupted;
        reports.push(report);
        if is_over {
            break;
        }
    }
    out.either(&JobsDocument::new(&reports), || {
        reports.iter().map(|report| text::job(report, out.verbose > 0)).collect()
    })?;
    Ok(worst(reports.iter().map(of_demo)))
}

/// The folder of the demonstration that runs in this process.
static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Removes it, also where the process leaves without unwinding.
pub fn sweep() {
    let folder = FOLDER.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(folder) = folder
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        complain(&format!("The folder {} could not be removed: {error}.", folder.display()));
    }
}

/// A folder for this demonstration alone, gone when it ends.
struct Throwaway(PathBuf);

impl Throwaway {
    fn make() -> Result<Self, Problem> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|error| {
            Problem::new(Class::Local, format!("This machine gives no random numbers: {error}."))
        })?;
        let path = std::env::temp_dir().join(format!("parhelion-demo-{:016x}", u64::from_be_bytes(name)));
        std::fs::DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            Problem::new(Class::Local, format!("The folder {} cannot be made: {error}.", path.display()))
                .remedy("Set TMPDIR to a folder that you may write to.")
        })?;
        *FOLDER.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.clone());
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        sweep();
    }
}
