//! The lifecycle workspace: per company, what is old, what is out of warranty, and what replacing it costs in which
//! year. Pure: no clock, no store, no network.
//!
//! It stands where a guide to Strategy Overview has that product. Strategy Overview publishes no API, so nothing here
//! writes into it (decision 9); [`NOTICE`] is how the program says so.
//!
//! | file | is |
//! |---|---|
//! | `configuration` | an asset as it was read, and what people know beyond it |
//! | `company`, `term` | companies, their types and statuses, and how Halo's become ours |
//! | `age`, `os`, `serial` | usable dates, ends of support, usable serials |
//! | `rule`, `grade`, `class` | tests as people write them; grades and classes made of them |
//! | `budget`, `summary` | the year a replacement falls into; what a company adds up to |
//! | `assess`, `report` | one configuration judged; a company's report, draft or frozen |
//! | `template`, `column` | what is shown of a configuration |
//! | `warranty`, `dates_file` | dates from files and people, and which go back into Halo |
//! | `workspace` | everything people decided, and the facts it is made of |
//! | `setup` | the steps from nothing to a first report |
//! | `export` | a report as text, Markdown, CSV, JSON, spreadsheet and page |

pub mod age;
pub mod assess;
pub mod budget;
pub mod class;
pub mod column;
pub mod company;
pub mod configuration;
mod dates_file;
pub mod export;
pub mod grade;
pub mod os;
pub mod report;
pub mod rule;
pub mod serial;
pub mod setup;
pub mod summary;
pub mod tally;
pub mod template;
pub mod term;
pub mod warranty;
pub mod words;
pub mod workspace;

/// What the workspace is and is not, in the pane's title and the help.
pub const NOTICE: &str = "Planning workspace (local). Strategy Overview publishes no API that we know of; nothing here \
                          is written to strategyoverview.com.";

/// The areas of the guide and what becomes of each here (S1).
pub const AREAS: &[Area] = &[
    Area { name: "Companies", offered: Offered::Works },
    Area { name: "Company types", offered: Offered::Works },
    Area { name: "Company statuses", offered: Offered::Works },
    Area { name: "Configuration types", offered: Offered::Works },
    Area { name: "Configuration statuses", offered: Offered::Works },
    Area { name: "Configurations", offered: Offered::Works },
    Area { name: "Contacts", offered: Offered::Later },
    Area { name: "Tickets", offered: Offered::Not },
    Area { name: "Projects", offered: Offered::Not },
    Area { name: "Agreements", offered: Offered::Not },
    Area { name: "Opportunities", offered: Offered::Not },
];

/// One area of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub name: &'static str,
    pub offered: Offered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offered {
    Works,
    /// An optional extra of the guide's newer form that is still to come.
    Later,
    /// Not offered here, and shown so.
    Not,
}
