//! Values that are longer than one record: a head that says how many parts there are, and the parts behind it.

use super::{Index, MAX_VALUE, Op};
use crate::model::{Class, Problem};

/// The steps that put a value of any length, and take away what is left of a longer one before it.
///
/// # Errors
/// Where the store cannot be read.
pub fn put_chunked(index: &dyn Index, key: &[u8], value: &[u8]) -> Result<Vec<Op>, Problem> {
    let parts = value.chunks(MAX_VALUE);
    let count = parts.len() as u32;
    let mut ops: Vec<Op> = parts
        .enumerate()
        .map(|(number, part)| Op::Put(part_key(key, number as u32), part.to_vec()))
        .collect();
    let before = index.get(key)?.as_deref().and_then(parts_of).unwrap_or(0);
    ops.extend((count..before).map(|number| Op::Del(part_key(key, number))));
    ops.push(Op::Put(key.to_vec(), count.to_be_bytes().to_vec()));
    Ok(ops)
}

/// What [`put_chunked`] put.
///
/// # Errors
/// Where the store cannot be read, or a part is missing.
pub fn get_chunked(index: &dyn Index, key: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
    let Some(head) = index.get(key)? else { return Ok(None) };
    let damaged = || {
        let key = String::from_utf8_lossy(key).into_owned();
        Problem::new(Class::Local, format!("A part of '{key}' is missing in the index."))
            .remedy("Move the folder index/ aside: it is made again from the audit trail at the next start.")
    };
    let count = parts_of(&head).ok_or_else(damaged)?;
    let mut value = Vec::new();
    for number in 0..count {
        value.extend(index.get(&part_key(key, number))?.ok_or_else(damaged)?);
    }
    Ok(Some(value))
}

fn part_key(key: &[u8], number: u32) -> Vec<u8> {
    [key, b"\0", &number.to_be_bytes()].concat()
}

fn parts_of(head: &[u8]) -> Option<u32> {
    head.try_into().map(u32::from_be_bytes).ok()
}
