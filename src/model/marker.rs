//! Markers: the short text on a Halo record that makes it findable after any crash (sync-engine section 6).

use sha2::{Digest, Sha256};

use super::{Entity, Integration, SourceId};

/// Marks of this kind open every marker.
const TAG: &str = "PHL";
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Eight characters that tell one installation from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation(String);

impl Installation {
    /// From stored text; anything but eight base-32 characters is refused.
    pub fn new(text: &str) -> Option<Self> {
        (text.len() == 8 && text.bytes().all(|b| BASE32.contains(&b))).then(|| Self(text.to_owned()))
    }

    /// From random bytes, at first start.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Self(bytes.iter().map(|b| char::from(BASE32[usize::from(b % 32)])).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose record a marker says this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Made by this installation for this source record.
    Ours,
    /// Made for this source record by another installation.
    Foreign,
    /// Not a marker for this source record: another record's, or a person's text.
    Other,
}

/// The marker of the target record made for a source record. No customer data is in it.
pub fn marker(
    installation: &Installation,
    integration: Integration,
    account: &str,
    entity: Entity,
    id: &SourceId,
) -> String {
    format!("{TAG}-{}-{}", installation.0, tail(integration, account, entity, id))
}

/// Reads a marker field.
pub fn whose(
    text: &str,
    installation: &Installation,
    integration: Integration,
    account: &str,
    entity: Entity,
    id: &SourceId,
) -> Whose {
    let Some((found, rest)) =
        text.trim().strip_prefix(TAG).and_then(|t| t.strip_prefix('-')).and_then(|t| t.split_once('-'))
    else {
        return Whose::Other;
    };
    if rest != tail(integration, account, entity, id) {
        Whose::Other
    } else if found == installation.0 {
        Whose::Ours
    } else {
        Whose::Foreign
    }
}

/// Whether the text is any Parhelion's marker at all.
pub fn is_marker(text: &str) -> bool {
    text.trim().strip_prefix(TAG).is_some_and(|rest| rest.starts_with('-'))
}

fn tail(integration: Integration, account: &str, entity: Entity, id: &SourceId) -> String {
    let kind = match entity {
        Entity::Customers => 'c',
        Entity::Subscriptions => 's',
        Entity::Companies => 'o',
        Entity::Sites => 'l',
        Entity::Users => 'u',
        Entity::Contracts => 't',
        // Nothing is created for these: no marker of theirs is ever sent.
        Entity::Types | Entity::Statuses | Entity::Configurations | Entity::Warranty | Entity::PushFlags => {
            'w'
        }
        Entity::Assets => 'a',
        Entity::AssetTypes => 'y',
        Entity::AssetFields => 'f',
        Entity::Push => 'p',
        Entity::CompanyUrls => 'h',
        Entity::Relations => 'r',
    };
    let digest = Sha256::digest(format!("{integration}\0{account}\0{entity}\0{id}").as_bytes());
    format!("{kind}{}", base32(&digest[..17]).get(..26).unwrap_or_default())
}

fn base32(bytes: &[u8]) -> String {
    let (mut text, mut buffer, mut bits) = (String::new(), 0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[(buffer >> bits) as usize & 31]));
        }
        buffer &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(BASE32[(buffer << (5 - bits)) as usize & 31]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_names_its_record_and_installation_and_nothing_else() {
        let (here, there) = (Installation::from_random([1; 8]), Installation::from_random([2; 8]));
        let id = SourceId::new("310101");
        let mark = marker(&here, Integration::Also, "cloud.also.com", Entity::Customers, &id);
        let read = |who: &Installation, id: &SourceId| {
            whose(&mark, who, Integration::Also, "cloud.also.com", Entity::Customers, id)
        };
        assert_eq!(mark.len(), 3 + 1 + 8 + 1 + 1 + 26);
        assert_eq!(read(&here, &id), Whose::Ours);
        assert_eq!(read(&there, &id), Whose::Foreign);
        assert_eq!(read(&here, &SourceId::new("310102")), Whose::Other);
        assert!(!mark.contains("310101"));
        assert!(is_marker(&mark) && !is_marker("C-0012"));
    }
}
