//! `layouts`: the asset layouts that Hudu's assets are made in, and bringing them into shape (H8, H9).

use super::exit::{DONE, FAILED, Failure};
use super::json::LayoutsDocument;
use super::out::Out;
use super::progress::attended;
use super::{order, text};
use crate::host::Handle;
use crate::host::words::{Command, LayoutState, Reply};
use crate::model::{Class, Entity, Integration, Problem};

pub async fn run(
    out: &Out,
    handle: &Handle,
    integration: Integration,
    fix: &[Entity],
) -> Result<u8, Failure> {
    if integration != Integration::Hudu {
        return Err(
            Problem::new(Class::Input, format!("{} has no asset layouts.", integration.label())).into()
        );
    }
    let fix = fix.to_vec();
    let work = async { order!(handle, Command::Layouts { fix }, Reply::Layouts(views) => views) };
    let views = attended(out, handle, work).await?;
    out.either(&LayoutsDocument::new(&views), || text::layouts(&views))?;
    let ready = views.iter().all(|view| view.state == LayoutState::Ready);
    Ok(if ready { DONE } else { FAILED })
}
