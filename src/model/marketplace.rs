//! What a marketplace of the ALSO platform says of its customers and their subscriptions: facts as given, nothing
//! interpreted. What a state word or a field means is a rule of the integration (apis/also.md 5, 6).

use serde_json::Value;

use super::{Address, Amount, Currency, Date, SourceId};

/// A date as the marketplace gave it: none, a day, or the sentence that says what is wrong with the text (the row is
/// then held; a date is never guessed).
pub type GivenDate = Result<Option<Date>, Box<str>>;

/// A customer at the distributor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCompany {
    pub id: SourceId,
    /// The reseller it belongs to: the API user's own company or a sub-reseller.
    pub parent: Option<SourceId>,
    /// `AccountState`, such as `Active`; empty where the marketplace gave none.
    pub state: Box<str>,
    pub name: Box<str>,
    pub vat: Option<Box<str>>,
    /// Mail domains as given, trimmed and in lower case, without blanks.
    pub domains: Vec<Box<str>>,
    pub currency: Option<Currency>,
    pub address: Address,
    /// `NumericId`: the number that people see in the portal.
    pub portal_number: Option<Box<str>>,
    /// `CustomerId`: the reseller's own customer number.
    pub customer_number: Option<Box<str>>,
    /// `ReferenceNumber`: free text of the reseller.
    pub reference: Option<Box<str>>,
}

/// A subscription of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSubscription {
    pub id: SourceId,
    /// The owning customer (`CompanyAccountId`).
    pub company: SourceId,
    /// The direct parent: a department, a user or another subscription as often as the customer.
    pub parent: Option<SourceId>,
    /// `AccountState`; empty where the marketplace gave none.
    pub state: Box<str>,
    /// `ProvisioningStatus`, or `Status` on builds that call it so.
    pub provisioning: Option<Box<str>>,
    /// Why provisioning failed.
    pub error_details: Option<Box<str>>,
    /// The technical product id (`ServiceName`).
    pub service_name: Box<str>,
    /// What a person calls the product (`ServiceDisplayName`).
    pub display_name: Box<str>,
    pub vendor: Box<str>,
    /// Product-defined fields in their order, values untouched: numbers come as numbers or as text.
    pub fields: Vec<(Box<str>, Value)>,
    pub priceable_items: Vec<PriceableItem>,
    pub contract_end: GivenDate,
    /// `AdvancePeriodEndDate`.
    pub period_end: GivenDate,
    /// `AdvancePeriodEndAction`: `Renew`, `Terminate`, or none.
    pub period_end_action: Option<Box<str>>,
    pub scheduled_termination: GivenDate,
}

impl SourceSubscription {
    /// The value of the field of exactly this name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(n, _)| &**n == name).map(|(_, value)| value)
    }
}

/// One line of a subscription's prices (apis/also.md 6.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceableItem {
    pub charge_type: Box<str>,
    /// `Monthly`, `Setup` or another word.
    pub item_type: Box<str>,
    pub currency: Option<Currency>,
    /// The field that counts its units.
    pub field_name: Option<Box<str>>,
    /// `IsUDRCField`: its price is per unit of that field.
    pub is_unit: bool,
    /// What the reseller pays. `None` is a missing price, never 0.
    pub purchase_price: Option<Amount>,
    /// What the customer is charged.
    pub sales_price: Option<Amount>,
    pub suggested_price: Option<Amount>,
    pub commitment_months: Option<u32>,
    pub prepaid_months: Option<u32>,
    pub description: Box<str>,
}
