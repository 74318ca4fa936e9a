//! The settings of the planning workspace.

use super::kind::Kind;
use super::table::{Row, Tab};

const ENTITIES: &[&str] = &["types", "statuses", "companies", "configurations", "warranty"];

pub(super) const LIFECYCLE: [Row; 34] = [
    Row(
        "enabled",
        Tab::Details,
        Kind::Flag,
        "Enabled",
        "Planning workspace (local): nothing is written to strategyoverview.com. Off, it never runs and keeps what it has.",
    ),
    Row(
        "psa",
        Tab::Details,
        Kind::Choice(&["halo"]),
        "PSA",
        "The one PSA that feeds this workspace. Another tenant needs another profile.",
    ),
    Row(
        "currency",
        Tab::Details,
        Kind::Currency,
        "Currency",
        "What budgets are in. Empty: the currency of Halo's section. Two currencies are never added together.",
    ),
    Row(
        "fiscal_year_start",
        Tab::Details,
        Kind::Number { min: 1, max: 12, unit: "" },
        "Budget year begins in",
        "The first month of the budget year, 1 to 12. A company can have its own.",
    ),
    Row(
        "types_full_sync",
        Tab::Customers,
        Kind::Flag,
        "All company types",
        "Every company type in Halo exists here and follows renames. Off: only the types of companies that come in.",
    ),
    Row("statuses_sync", Tab::Customers, Kind::Flag, "Company statuses", "Active and inactive follow Halo."),
    Row(
        "company_types",
        Tab::Customers,
        Kind::Words,
        "Types that come in",
        "Names of company types. Empty: all but those of the next line.",
    ),
    Row(
        "company_types_excluded",
        Tab::Customers,
        Kind::Words,
        "Types that stay out",
        "Names of company types that are not managed, such as leads and vendors.",
    ),
    Row(
        "company_status",
        Tab::Customers,
        Kind::Choice(&["active", "inactive", "all"]),
        "Status",
        "Which of Halo's customers are looked at.",
    ),
    Row(
        "company_mapping",
        Tab::Customers,
        Kind::Choice(&["all", "mapped", "unmapped"]),
        "Mapping",
        "Customers that are mapped already, those that are not, or all.",
    ),
    Row(
        "managed_cap",
        Tab::Customers,
        Kind::Number { min: 0, max: 1_000_000, unit: "companies" },
        "Managed at most",
        "More managed companies than this wait for a person; 0: no cap.",
    ),
    Row(
        "configurations_sync",
        Tab::Fields,
        Kind::Flag,
        "Configurations",
        "Assets come in as configurations. Off: what is here stays, and is not updated.",
    ),
    Row(
        "companies",
        Tab::Fields,
        Kind::Words,
        "Of companies",
        "Halo ids of the companies whose configurations come in. Empty: all managed ones, future ones too.",
    ),
    Row(
        "configuration_types",
        Tab::Fields,
        Kind::Words,
        "Types",
        "Names of asset types that come in. Empty: all.",
    ),
    Row(
        "configuration_status",
        Tab::Fields,
        Kind::Choice(&["active", "all"]),
        "Statuses",
        "Only active assets (advised), or all.",
    ),
    Row(
        "fields",
        Tab::Fields,
        Kind::Words,
        "Fields to download",
        "Names of the asset fields in Halo that are read.",
    ),
    field("serial_field", "Serial"),
    field("manufacturer_field", "Manufacturer"),
    field("model_field", "Model"),
    field("os_field", "OS type"),
    field("ram_field", "RAM"),
    field("notes_field", "Notes"),
    field("purchase_date_field", "Purchase date"),
    Row(
        "install_date_field",
        Tab::Fields,
        Kind::Text,
        "Install date",
        "Counts as the age where there is no purchase date. One of the downloaded fields, or a column of every asset.",
    ),
    field("warranty_start_field", "Warranty start"),
    field("expiration_date_field", "Expiration date"),
    Row(
        "field_types",
        Tab::Fields,
        Kind::WordMap(&["text", "date", "number", "flag"]),
        "Types of new fields",
        "What a field that `--entity asset_fields` makes in Halo may hold, by its name. Else: dates for dates, text for the rest.",
    ),
    Row(
        "csv_columns",
        Tab::Planning,
        Kind::Words,
        "CSV columns",
        "Columns of the CSV and the spreadsheet in order, each with a heading if wanted: serial=Serial No. Empty: all but \
         the recurring ones.",
    ),
    Row(
        "write_expiration_date",
        Tab::Planning,
        Kind::Flag,
        "Write expiration dates",
        "Dates from files and people go back into Halo with `run lifecycle --entity warranty`. Needs the right to edit assets.",
    ),
    Row(
        "write_warranty_start",
        Tab::Planning,
        Kind::Flag,
        "Write warranty starts",
        "The same for warranty starts.",
    ),
    Row(
        "write_purchase_date",
        Tab::Planning,
        Kind::Flag,
        "Write purchase dates",
        "The same for purchase dates.",
    ),
    Row(
        "write_estimated",
        Tab::Planning,
        Kind::Flag,
        "Write estimates",
        "Also dates that their source only estimates.",
    ),
    Row(
        "warranty_policy",
        Tab::Planning,
        Kind::Choice(crate::model::settings::Lifecycle::POLICIES),
        "Where Halo has a date",
        "fill_blanks leaves it, later_wins takes the later expiry and the earlier purchase, always takes ours.",
    ),
    Row(
        "schedule.entities",
        Tab::Schedule,
        Kind::Choices(ENTITIES),
        "Entities",
        "What a scheduled run takes, whether or not the schedule is on.",
    ),
];

const fn field(key: &'static str, label: &'static str) -> Row {
    Row(
        key,
        Tab::Fields,
        Kind::Text,
        label,
        "One of the downloaded fields, or a column of every asset: warranty_start, warranty_end, supplier_purchasedate, \
         commissiondate, notes. Empty: none.",
    )
}
