//! Halo's JSON, exactly as sent: the fields read of each record, and the bodies of writes (apis/halopsa.md 2-8).

use serde::{Deserialize, Serialize};

/// Fields of a customer (`Area`). The marker's field is added by setting.
pub const CLIENT: [&str; 14] = [
    "id",
    "name",
    "inactive",
    "toplevel_id",
    "toplevel_name",
    "main_site_id",
    "domain",
    "website",
    "tax_number",
    "currencyisocode",
    "clientcurrency",
    "default_currency_code",
    "default_currency_code_name",
    "ref",
];

/// Fields of a site; list rows carry the address flat, line 5 is the postcode.
pub const SITE: [&str; 10] = [
    "id",
    "name",
    "client_id",
    "inactive",
    "phonenumber",
    "delivery_address_line1",
    "delivery_address_line2",
    "delivery_address_line3",
    "delivery_address_line4",
    "delivery_address_line5",
];

/// Fields of a licence (`Licence_List`). The marker's field is added by setting.
pub const LICENCE: [&str; 11] = [
    "id",
    "name",
    "client_id",
    "count",
    "is_active",
    "deleted",
    "price",
    "purchase_price",
    "end_date",
    "status",
    "snowid",
];

/// Fields of a contract (`ContractHeader`, 8.2).
pub const CONTRACT: [&str; 13] = [
    "last_modified",
    "id",
    "ref",
    "client_id",
    "site_id",
    "start_date",
    "end_date",
    "active",
    "expired",
    "contract_status",
    "contracttype_name",
    "periodchargeamount",
    "rollingcontract",
];

/// Fields of a user (`Users`, 6). The last three stand in a list on some builds only.
pub const USER: [&str; 12] = [
    "id",
    "name",
    "site_id",
    "site_id_int",
    "client_id",
    "emailaddress",
    "inactive",
    "isserviceaccount",
    "phonenumber_preferred",
    "phonenumber",
    "mobilenumber",
    "title",
];

pub const TOP_LEVEL: [&str; 3] = ["id", "name", "long_name"];
pub const CURRENCY: [&str; 3] = ["id", "code", "name"];
pub const LICENCE_CHANGE: [&str; 7] =
    ["id", "datetime", "field_name", "licence_id", "old_value", "new_value", "who"];
pub const APPLICATION: [&str; 5] = ["id", "clientId", "displayName", "inactive", "loginas_agent_id"];
pub const FEATURE: [&str; 4] = ["id", "module_name", "enabled", "halointegratorenabled"];

/// The answer of the token endpoint, as far as it is needed (1.3).
#[derive(Deserialize)]
pub struct Token {
    #[serde(rename = "access_token")]
    pub bearer: String,
    /// Seconds; clients that work assume an hour where it is missing.
    #[serde(default)]
    pub expires_in: super::super::row::Scalar,
    /// What was granted, words with spaces between them; some builds leave it out.
    #[serde(default)]
    pub scope: Option<String>,
}

/// An address inside a site or a new customer: city and region have lines of their own (5).
#[derive(Debug, Serialize)]
pub struct AddressStore {
    pub line1: String,
    pub line2: String,
    pub line3: String,
    pub line4: String,
    pub postcode: String,
}
