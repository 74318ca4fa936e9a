//! The products that the simulated marketplaces sell, and the JSON of a subscription.

use serde::Serialize;
use serde_json::{Value, json};

use super::Brand;

/// How a product counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// A Microsoft tenant: parent of others, nothing to count.
    Tenant,
    /// One field that counts the units.
    Seats(&'static str),
    /// The same, but the value comes as text.
    SeatsAsText(&'static str),
    /// Two fields that each count something.
    Two(&'static str, &'static str),
    /// A flat price.
    Flat,
    /// Charged by use: no count, no price.
    Usage,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    pub(super) display: &'static str,
    pub(super) vendor: &'static str,
    /// The middle of the technical name.
    pub(super) technical: &'static str,
    pub(super) sku: &'static str,
    pub(super) counts: Counts,
    /// Buying and selling price of a unit, in pence or cents.
    pub(super) cost: u32,
    pub(super) price: u32,
    /// Months of commitment; 0 for none.
    pub(super) commitment: u32,
    /// Months paid at once.
    pub(super) prepaid: u32,
    /// A price asked once, in pence or cents.
    pub(super) set_up: u32,
}

#[expect(clippy::too_many_arguments, reason = "a row of the table below")]
const fn seats(
    display: &'static str,
    vendor: &'static str,
    technical: &'static str,
    sku: &'static str,
    cost: u32,
    price: u32,
    commitment: u32,
    prepaid: u32,
) -> Product {
    let counts = Counts::Seats("Quantity");
    Product { display, vendor, technical, sku, counts, cost, price, commitment, prepaid, set_up: 0 }
}

pub(super) const TENANT: Product = Product {
    counts: Counts::Tenant,
    ..seats("Microsoft Tenant", "Microsoft", "MicrosoftOrganizationtenant", "", 0, 0, 0, 0)
};

const MS: &str = "Microsoft";
const AC: &str = "Acronis";

/// So many of the products below, from the first, count seats in a field named `Quantity` and have a price.
pub(super) const SEATS_FIRST: usize = 12;

pub(super) const PRODUCTS: &[Product] = &[
    seats(
        "Microsoft 365 Business Basic (NCE)",
        MS,
        "NCEMicros365BusinessBasic",
        "CFQ7TTC0EXB1:0001",
        412,
        490,
        12,
        1,
    ),
    seats(
        "Microsoft 365 Business Standard (NCE)",
        MS,
        "NCEMicros365BusinessStd",
        "CFQ7TTC0EXB2:0001",
        858,
        1030,
        12,
        1,
    ),
    seats(
        "Microsoft 365 Business Premium (NCE)",
        MS,
        "NCEMicros365BusinessPremium",
        "CFQ7TTC0EXB3:0002",
        1527,
        1810,
        12,
        1,
    ),
    seats(
        "Microsoft 365 Apps for Business (NCE)",
        MS,
        "NCEMicros365AppsBusiness",
        "CFQ7TTC0EXB4:0001",
        721,
        860,
        12,
        1,
    ),
    seats("Microsoft 365 E3 (NCE)", MS, "NCEMicros365E3", "CFQ7TTC0EXE3:0001", 2790, 3310, 12, 12),
    seats("Microsoft 365 E5 (NCE)", MS, "NCEMicros365E5", "CFQ7TTC0EXE5:0001", 4395, 5220, 12, 1),
    seats(
        "Microsoft Teams Phone Standard (NCE)",
        MS,
        "NCETeamsPhoneStandard",
        "CFQ7TTC0EXTP:0001",
        552,
        660,
        1,
        1,
    ),
    seats(
        "Microsoft Defender for Business (NCE)",
        MS,
        "NCEDefenderBusiness",
        "CFQ7TTC0EXDB:0001",
        206,
        250,
        1,
        1,
    ),
    seats("Microsoft Entra ID P1 (NCE)", MS, "NCEEntraIDP1", "CFQ7TTC0EXP1:0001", 412, 490, 12, 1),
    seats("Visio Plan 2 (NCE)", MS, "NCEVisioPlan2", "CFQ7TTC0EXV2:0001", 1030, 1240, 1, 1),
    seats("Project Plan 3 (NCE)", MS, "NCEProjectPlan3", "CFQ7TTC0EXJ3:0001", 2060, 2470, 12, 12),
    seats("Power BI Pro (NCE)", MS, "NCEPowerBIPro", "CFQ7TTC0EXBI:0001", 686, 830, 12, 1),
    Product {
        counts: Counts::SeatsAsText("NumberofCSPlicenses"),
        ..seats("Exchange Online (Plan 1)", MS, "ExchangeOnlinePlan1Legacy", "AAA-00000", 290, 330, 1, 1)
    },
    Product {
        counts: Counts::Usage,
        ..seats("Azure Plan", MS, "AzurePlan", "DZH318Z0BPS6:0001", 0, 0, 0, 0)
    },
    Product {
        counts: Counts::Two("ExchangeSeatsOrdered", "SharePointSeatsOrdered"),
        set_up: 4900,
        ..seats(
            "Hosted Exchange and SharePoint",
            "Fernhill Cloud",
            "HostedExchangeSharePoint",
            "HEX-200",
            310,
            450,
            1,
            1,
        )
    },
    Product {
        counts: Counts::Two("Quantity", "StorageGB"),
        ..seats("Acronis Cyber Protect Cloud", AC, "AcronisCyberProtectCloud", "SPBAMSENS", 145, 260, 1, 1)
    },
    seats("Acronis Advanced Backup - Workstation", AC, "AcronisAdvBackupWks", "SPCAMSENS", 198, 340, 1, 1),
    seats("Acronis Advanced Email Security", AC, "AcronisAdvEmailSec", "SPDAMSENS", 112, 190, 1, 1),
    seats(
        "Adobe Acrobat Pro for Teams",
        "Adobe",
        "AdobeAcrobatProTeams",
        "65304522BA01A12",
        1428,
        1690,
        12,
        12,
    ),
    seats(
        "Adobe Creative Cloud All Apps for Teams",
        "Adobe",
        "AdobeCCAllAppsTeams",
        "65310078BA01A12",
        5610,
        6600,
        12,
        1,
    ),
    seats(
        "Bitdefender GravityZone Business Security",
        "Bitdefender",
        "BitdefenderGZBS",
        "AL1286100A",
        95,
        180,
        1,
        1,
    ),
    seats("ESET PROTECT Advanced", "ESET", "ESETProtectAdvanced", "EPA-MSP", 133, 240, 1, 1),
    seats(
        "Hornetsecurity 365 Total Protection",
        "Hornetsecurity",
        "Hornet365TotalProt",
        "365TP-3",
        245,
        400,
        1,
        1,
    ),
    seats("Dropsuite Email Backup", "Dropsuite", "DropsuiteEmailBackup", "DS-EB-M", 120, 220, 1, 1),
    seats("KnowBe4 Security Awareness Gold", "KnowBe4", "KnowBe4Gold", "KB4-G-12", 128, 230, 12, 12),
    seats("Keeper Business Password Manager", "Keeper", "KeeperBusiness", "KPR-BUS", 180, 310, 12, 12),
    Product {
        counts: Counts::Flat,
        set_up: 9900,
        ..seats(
            "Managed Firewall FW-60",
            "Fernhill Cloud",
            "ManagedFirewallFW60",
            "FW60-M",
            3900,
            5900,
            12,
            1,
        )
    },
    Product {
        counts: Counts::Flat,
        ..seats("SSL Certificate Wildcard", "Sectigo", "SectigoWildcard", "SSL-WC-12", 9800, 14900, 12, 12)
    },
];

/// A product of one marketplace: each has an owner number of its own in the technical name.
pub(super) fn service_name(brand: Brand, product: &Product) -> String {
    let number = 10_001 + PRODUCTS.iter().position(|p| p.technical == product.technical).map_or(0, |n| n + 1);
    let owner = match brand {
        Brand::Also => 200_001,
        Brand::Westcoast => 305_550,
    };
    format!("{owner}_{}_{number}", product.technical)
}

/// A subscription as it is sent (also.md 6.3).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Subscription<'a> {
    pub(super) parent_account_id: i64,
    pub(super) company_account_id: i64,
    pub(super) parent_type: &'a str,
    pub(super) account_id: i64,
    pub(super) account_state: &'a str,
    pub(super) service_name: &'a str,
    pub(super) service_display_name: &'a str,
    pub(super) vendor_display_name: &'a str,
    pub(super) contract_id: &'a str,
    pub(super) purchase_order_number: &'a str,
    pub(super) provisioning_status: &'a str,
    pub(super) error_details: Option<&'a str>,
    pub(super) vendor_reference_id: Option<String>,
    pub(super) second_vendor_reference_id: Option<&'a str>,
    pub(super) billing_start_date: String,
    pub(super) contract_end_date: Option<String>,
    pub(super) price_protection_end_date: Option<String>,
    pub(super) advance_period_end_date: Option<String>,
    pub(super) advance_period_end_action: Option<&'a str>,
    pub(super) scheduled_termination_date: Option<String>,
    pub(super) has_renew_action_values_configured: bool,
    pub(super) remaining_credit_limit: Option<f64>,
    pub(super) dependency_account_id: Option<i64>,
    pub(super) dependency_service_name: Option<&'a str>,
    pub(super) fields: Vec<Value>,
    pub(super) renew_fields: Vec<Value>,
    pub(super) priceable_items: Vec<Value>,
}

pub(super) fn field(name: &str, value: Value) -> Value {
    let mut field = json!({"DisplayName": name, "Name": name});
    field["Value"] = value;
    field
}

/// The prices of a product. `id` is the first item's.
pub(super) fn prices(product: &Product, currency: &str, id: i64) -> Vec<Value> {
    let item = |n: i64, kind: &str, unit: Option<&str>, cost: u32, price: u32| {
        let money = |pence: u32| f64::from(pence) / 100.0;
        json!({
            "ChargeType": if kind == "Setup" { "OneTime" } else { "Recurring" }, "Currency": currency,
            "FieldName": unit, "IsUDRCField": unit.is_some(),
            "PriceableItemDescription": match unit {
                Some(unit) => format!("{} per unit of {unit}", product.display),
                None => format!("{} {kind}", product.display),
            },
            "PriceableItemType": kind, "PurchasePrice": money(cost), "SalesPrice": money(price),
            "SuggestedRetailPrice": money(price), "MaterialNumber": format!("{:010}", 100_200_000 + id % 100_000),
            "ProductNumber": product.sku,
            "PrepaidPeriodInMonths": if kind == "Setup" { 0 } else { product.prepaid },
            "CommitementPeriodInMonths": if kind == "Setup" { 0 } else { product.commitment },
            "PriceableItemId": id + n,
        })
    };
    // Paid yearly: the price is that of the whole prepaid period.
    let (cost, price) = (product.cost * product.prepaid.max(1), product.price * product.prepaid.max(1));
    let mut items = Vec::new();
    // The set-up fee first: whoever takes the first item for the price is wrong.
    if product.set_up > 0 {
        items.push(item(0, "Setup", None, product.set_up, product.set_up));
    }
    match product.counts {
        Counts::Tenant | Counts::Usage => {}
        Counts::Flat => items.push(item(1, "Monthly", None, cost, price)),
        Counts::Seats(unit) | Counts::SeatsAsText(unit) => {
            items.push(item(1, "Monthly", Some(unit), cost, price));
        }
        Counts::Two(first, second) => {
            items.push(item(1, "Monthly", Some(first), cost, price));
            items.push(item(2, "Monthly", Some(second), cost / 10, price / 10));
        }
    }
    items
}
