//! `notify test`: whether notices arrive.

use serde::Serialize;

use super::exit::{DONE, Failure};
use super::order;
use super::out::Out;
use crate::host::Handle;
use crate::host::words::{Command, Reply};

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    message: &'a str,
}

pub async fn test(out: &Out, handle: &Handle) -> Result<u8, Failure> {
    let said = order!(handle, Command::TestNotice, Reply::Done(said) => said)?;
    out.either(&Document { ok: true, message: &said }, || said.clone())?;
    Ok(DONE)
}
