//! Makes what README.md shows from the program itself: the tables of keys, commands and settings, and the pictures.
//!
//! `cargo run --example readme` rewrites README.md between its marks and docs/pictures/. Nothing in it depends on the
//! day, the machine or a port: the simulated vendors answer from memory and the clock is simulated too.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use parhelion::api::http::{Request, Response, SendError, SendErrorKind, Transport};
use parhelion::engine::book::Book;
use parhelion::engine::world::World;
use parhelion::engine::{Engine, Protocol, desk};
use parhelion::host::Handle;
use parhelion::host::words::{Answer, Command, Event, JobState, MapFilter, MapState, Query, Reply};
use parhelion::model::{Decision, Installation, Integration, Moment, Place};
use parhelion::sandbox::{self, Brand, RESET_HEADER, Sandbox};
use parhelion::store::trail::{Options as TrailOptions, SimulatedDisk, Sync};
use parhelion::store::{KeySource, MemoryIndex, Places, Trail, Vault};
use parhelion::ui::frames::Stage;
use parhelion::ui::terminal::Multiplexer;
use parhelion::ui::theme::Depth;
use parhelion::ui::{self, Environment, keymap, svg};
use parhelion::{cli, settings};
use ratatui::layout::Size;
use tower::ServiceExt;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = root.join("README.md");
    let mut text = std::fs::read_to_string(&readme)?;
    for (name, table) in
        [("keys", keymap::markdown()), ("commands", cli::markdown()), ("settings", settings::markdown())]
    {
        text = between(&text, name, &table).ok_or_else(|| format!("README.md has no marks for {name}"))?;
    }
    std::fs::write(&readme, text)?;
    let pictures = root.join("docs/pictures");
    std::fs::create_dir_all(&pictures)?;
    // Paused: time passes only while everybody waits, so every run sees the same moments.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(draw_all(&pictures))
}

/// The text with a table between `<!-- NAME -->` and `<!-- /NAME -->`.
fn between(text: &str, name: &str, table: &str) -> Option<String> {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = text.find(&open)? + open.len();
    let end = start + text[start..].find(&close)?;
    Some(format!("{}{table}{}", &text[..start], &text[end..]))
}

/// Keys from the start of the viewer, and the picture of the frame they lead to.
struct Picture(&'static str, Size, &'static str);

const PANE: Size = Size::new(112, 30);
const WHOLE: Size = Size::new(132, 40);

/// A working day, in order: what one picture did, the next one sees.
const BEFORE: [Picture; 5] = [
    Picture("integrations", PANE, "1 j"),
    Picture("settings", PANE, "1 j <Enter>"),
    Picture("customers", PANE, "2"),
    Picture("picker", PANE, "2 m"),
    Picture("fields", PANE, "3"),
];
const AFTER: [Picture; 4] = [
    Picture("jobs", PANE, "4"),
    Picture("job", PANE, "4 <Enter>"),
    Picture("plan", PANE, "2 p p f u G"),
    Picture("overview", WHOLE, "0"),
];

async fn draw_all(folder: &Path) -> Outcome {
    let ground = Ground::open()?;
    ground.prepare().await?;
    ground.run(Integration::Westcoast).await?;
    for picture in &BEFORE {
        ground.draw(picture, folder).await?;
    }
    ground.run(Integration::Also).await?;
    // Two days at the marketplaces.
    ground.sandbox.advance(1);
    ground.sandbox.advance(2);
    ground.handle.send(Command::ReadCustomers { integration: Integration::Also }).await?;
    for picture in &AFTER {
        ground.draw(picture, folder).await?;
    }
    Ok(())
}

/// An engine whose vendors, clock and disk are simulated.
struct Ground {
    handle: Handle,
    sandbox: Sandbox,
    start: Moment,
    since: tokio::time::Instant,
    _folder: tempfile::TempDir,
}

impl Ground {
    fn open() -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let places = Places::within(folder.path(), "acme-msp")?;
        std::fs::create_dir_all(places.logs())?;
        let disk = Sync::Simulated(Arc::new(SimulatedDisk::new()));
        let (trail, _) =
            Trail::open_with(&places.audit(), TrailOptions { sync: disk, ..TrailOptions::default() })?;
        let vault = Vault::open(&places.secrets(), KeySource::File(places.key_file.clone()))?;
        let start: Moment = "2026-01-30T08:40:00Z".parse()?;
        let sandbox = Sandbox::new(sandbox::Options::default());
        let world = World::simulated(Arc::new(InMemory(sandbox.clone())), start);
        let since = tokio::time::Instant::now();
        let (events, _) = tokio::sync::broadcast::channel(1024);
        let (calls, inbox) = tokio::sync::mpsc::unbounded_channel();
        let handle = Handle::new(calls, events.clone());
        let engine = Engine::open(
            Book::open(trail, Arc::new(MemoryIndex::new()))?,
            vault,
            places,
            world,
            Protocol::default(),
            "anna@jump01".into(),
            Installation::from_random([7; 8]),
            events,
        )?;
        tokio::spawn(desk::serve(engine, inbox));
        Ok(Self { handle, sandbox, start, since, _folder: folder })
    }

    /// Set up, tested, read and partly mapped, as an installation in use is.
    async fn prepare(&self) -> Outcome {
        self.handle.send(Command::ImportSettings { text: document() }).await?;
        for place in Place::all() {
            self.handle.send(Command::Test { place, draft: Vec::new(), secrets: Vec::new() }).await?;
        }
        // The pictures show the marketplaces; the others are not set up in them.
        for integration in [Integration::Also, Integration::Westcoast] {
            self.handle.send(Command::ReadCustomers { integration }).await?;
            self.handle.send(Command::Generate { integration }).await?;
            let filter = MapFilter { states: [MapState::Mapped].into(), ..MapFilter::default() };
            let query = Query::MapOrder { integration, filter, by_target: false };
            let Answer::MapOrder(order) = self.handle.ask(query).await? else {
                return Err("no order".into());
            };
            let mut ids = order.ids;
            ids.sort();
            let decisions = ids.into_iter().step_by(12).map(|id| (id, Decision::Clear)).collect();
            self.handle.send(Command::Decide { integration, decisions }).await?;
        }
        Ok(())
    }

    async fn run(&self, integration: Integration) -> Outcome {
        let mut events = self.handle.subscribe();
        let entities = integration.entities().to_vec();
        let command = Command::Run {
            integration,
            entities,
            scheduled: false,
            allow_removals: false,
            purpose: parhelion::plan::Purpose::Whole,
            urgent: false,
        };
        let Reply::Started(started) = self.handle.send(command).await? else { return Err("no job".into()) };
        loop {
            if let Event::Job(report) = events.recv().await?
                && report.job == started
                && report.state != JobState::Running
            {
                return Ok(());
            }
        }
    }

    async fn draw(&self, Picture(name, size, keys): &Picture, folder: &Path) -> Outcome {
        let options = ui::Options { profile: "acme-msp".into(), ..ui::Options::default() };
        let environment = Environment {
            depth: Depth::Sixteen,
            locale: "C.UTF-8".into(),
            is_ssh: true,
            multiplexer: Multiplexer::None,
            zone: Some(TimeZone::UTC),
        };
        let now = self.start + jiff::SignedDuration::try_from(self.since.elapsed())?;
        let mut stage = Stage::new(self.handle.clone(), &options, &environment, *size, now).await;
        stage.keys(keys).await?;
        let path = folder.join(format!("{name}.svg"));
        std::fs::write(&path, svg::frame(&stage.buffer(), stage.theme()))?;
        println!("{}", path.display());
        Ok(())
    }
}

/// Requests answered from memory, under the addresses that the real vendors would have.
struct InMemory(Sandbox);

const HALO: &str = "acme.halopsa.com";
const ALSO: &str = "cloud.also.com";
const WESTCOAST: &str = "marketplace.westcoastcloud.co.uk";
const LIONGARD: &str = "us1.app.liongard.com";

impl Transport for InMemory {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        async move {
            // About as long as the vendors take.
            tokio::time::sleep(std::time::Duration::from_millis(180)).await;
            let router = match request.url.host_str() {
                Some(HALO) => self.0.halo(),
                Some(ALSO) => self.0.marketplace(Brand::Also),
                Some(WESTCOAST) => self.0.marketplace(Brand::Westcoast),
                Some(LIONGARD) => self.0.liongard(),
                _ => return Err(SendError::new(SendErrorKind::Dns, "no such host")),
            };
            let broken =
                |error: &dyn std::fmt::Display| SendError::new(SendErrorKind::Reset, error.to_string());
            let mut call =
                axum::http::Request::builder().method(request.method.as_str()).uri(request.url.as_str());
            for (name, value) in &request.headers {
                call = call.header(name, value);
            }
            let call = call.body(Body::from(request.body)).map_err(|error| broken(&error))?;
            let (parts, body) = router.oneshot(call).await.map_err(|error| broken(&error))?.into_parts();
            if parts.headers.contains_key(RESET_HEADER) {
                return Err(broken(&"the connection was reset"));
            }
            let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| broken(&error))?;
            Ok(Response {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.to_vec(),
                elapsed: std::time::Duration::from_millis(180),
            })
        }
        .boxed()
    }
}

fn document() -> String {
    let marketplace = |brand: Brand, host: &str| {
        format!(
            "[{}]\nenabled = true\nmarketplace_url = \"https://{host}\"\nusername = \"{}\"\npassword = \"{}\"\n\
             top_level_for_new_customers = \"Customers\"\nset_price_and_cost = true\n",
            brand.name(),
            brand.username(),
            sandbox::PASSWORD,
        )
    };
    format!(
        "[profile]\nkind = \"sandbox\"\n[halo]\nresource_server = \"https://{HALO}/api\"\n\
         authorisation_server = \"https://{HALO}/auth\"\ntenant = \"{}\"\nclient_id = \"{}\"\n\
         client_secret = \"{}\"\n{}{}[liongard]\nenabled = true\nurl = \"https://{LIONGARD}\"\n\
         access_key_id = \"{}\"\naccess_key_secret = \"{}\"\n",
        sandbox::TENANT,
        sandbox::CLIENT_ID,
        sandbox::CLIENT_SECRET,
        marketplace(Brand::Also, ALSO),
        marketplace(Brand::Westcoast, WESTCOAST),
        sandbox::LIONGARD_KEY_ID,
        sandbox::LIONGARD_KEY_SECRET,
    )
}
