//! The flag that takes a customer of Halo to Liongard, asked for here (L17b). It is kept as a wish; the next plan of the
//! push shows it as a row, and writes it like any other.

use crate::engine::Engine;
use crate::engine::log::safe;
use crate::engine::records::Record;
use crate::engine::words::{Event, PushRow};
use crate::model::{Class, Integration, Problem, TargetId};

const ME: Integration = Integration::Liongard;
/// Rows of one answer.
const SHOWN: usize = 500;

impl Engine {
    /// Keeps what a person wants of a customer's flag.
    ///
    /// # Errors
    /// No such customer was read, or it is linked to Liongard already.
    pub async fn flag_push(&self, customer: &TargetId, on: Option<bool>) -> Result<String, Problem> {
        let parties = self.parties(ME)?;
        let Some(party) = parties.read.target.get(customer) else {
            return Err(Problem::new(Class::Input, format!("No customer {customer} of Halo is known."))
                .remedy(
                    "`parhelion map list liongard` reads the customers of both sides; name one by Halo's id.",
                ));
        };
        let name = safe(&party.name);
        if on == Some(true)
            && let Some((environment, _)) = parties.links.iter().find(|(_, link)| link.target == *customer)
        {
            return Err(Problem::new(
                Class::Input,
                format!("'{name}' is mapped to environment {environment} already, so it is not pushed."),
            ));
        }
        self.book.record(&[Record::PushFlag { customer: customer.clone(), on, by: self.by() }]).await?;
        self.tell(Event::Map(ME));
        let sync = &self.settings().liongard.sync_customers;
        let off =
            if sync.enabled { "" } else { " Pushing is off: switch liongard.sync_customers.enabled on." };
        Ok(match on {
            Some(true) => format!(
                "The next plan of the push sets the flag of '{name}', and makes its environment.{off}"
            ),
            Some(false) => format!(
                "The next plan of the push takes the flag off '{name}'; no environment is deleted.{off}"
            ),
            None => format!("The flag of '{name}' stays as it is."),
        })
    }

    /// Halo shows the flag as it is wanted: there is nothing to write.
    pub(in crate::engine) async fn flag_is_so(&self, customer: &TargetId) -> Result<(), Problem> {
        self.book.record(&[Record::PushFlag { customer: customer.clone(), on: None, by: self.by() }]).await
    }

    /// Halo's active customers that are not in Liongard, with what is wanted of their flags; those first.
    pub(in crate::engine) fn push_rows(&self, text: &str) -> Result<Vec<PushRow>, Problem> {
        let parties = self.parties(ME)?;
        let wishes: std::collections::BTreeMap<TargetId, bool> =
            self.book.push_wishes()?.into_iter().collect();
        let mapped: std::collections::HashSet<&TargetId> =
            parties.links.values().map(|link| &link.target).collect();
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let mut rows: Vec<PushRow> = parties
            .read
            .target
            .iter()
            .filter(|(id, party)| party.is_active && !mapped.contains(id))
            .filter(|(id, party)| {
                let all = format!("{} {} {id}", party.name, party.domain).to_lowercase();
                words.iter().all(|word| all.contains(word.as_str()))
            })
            .map(|(id, party)| PushRow {
                customer: id.clone(),
                name: safe(&party.name),
                domain: safe(&party.domain),
                wish: wishes.get(id).copied(),
            })
            .collect();
        rows.sort_by(|a, b| {
            (a.wish.is_none(), a.name.to_lowercase()).cmp(&(b.wish.is_none(), b.name.to_lowercase()))
        });
        rows.truncate(SHOWN);
        Ok(rows)
    }
}
