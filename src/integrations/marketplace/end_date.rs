//! The end date of a subscription (B6, decision 21): the first of the chosen fields that has one.

use crate::model::Date;
use crate::model::marketplace::SourceSubscription;
use crate::model::settings::EndDateSource;

/// The date and the marketplace's name of its field. A date that cannot be read holds the row if it is its turn.
pub(super) fn read(
    s: &SourceSubscription,
    order: &[EndDateSource],
) -> Result<Option<(Date, &'static str)>, String> {
    let ends =
        s.period_end_action.as_deref().is_some_and(|action| action.trim().eq_ignore_ascii_case("Terminate"));
    for source in order {
        let (given, field) = match source {
            EndDateSource::ScheduledTermination => (&s.scheduled_termination, "ScheduledTerminationDate"),
            EndDateSource::EndingPeriod if ends => (&s.period_end, "AdvancePeriodEndDate"),
            EndDateSource::EndingPeriod => continue,
            EndDateSource::Contract => (&s.contract_end, "ContractEndDate"),
            EndDateSource::Period => (&s.period_end, "AdvancePeriodEndDate"),
        };
        match given {
            Ok(Some(date)) => return Ok(Some((*date, field))),
            Ok(None) => {}
            Err(why) => {
                return Err(format!(
                    "{field} of '{}' ({}) cannot be read: {why}; correct it at the marketplace",
                    s.display_name.trim(),
                    s.id
                ));
            }
        }
    }
    Ok(None)
}
