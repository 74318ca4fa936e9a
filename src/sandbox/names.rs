//! Invented companies of the United Kingdom and its neighbours.

use std::collections::HashSet;

use super::rng::Rng;

#[rustfmt::skip]
const SURNAMES: &[&str] = &[
    "Alder", "Ashdown", "Barlow", "Beckett", "Birch", "Blackwood", "Bramley", "Brennan", "Calloway",
    "Carver", "Chandler", "Clifton", "Corrigan", "Cranfield", "Dalton", "Denholm", "Draper", "Dunmore",
    "Eastwood", "Ellery", "Fairfax", "Farrow", "Fenwick", "Finch", "Fletcher", "Gallagher", "Garrick",
    "Gilmour", "Granger", "Hadley", "Halford", "Hargreave", "Hartley", "Hawthorn", "Holloway", "Huxley",
    "Ingram", "Jarvis", "Keating", "Kendrick", "Kilbride", "Lambert", "Langley", "Larkin", "Linden",
    "Lockwood", "Lowther", "Maddox", "Marlowe", "Mercer", "Middleton", "Montrose", "Nairn", "Napier",
    "Norwood", "Oakley", "Osborne", "Padgett", "Pembroke", "Penrose", "Prescott", "Quayle", "Radcliffe",
    "Ramsey", "Redfern", "Rigby", "Rowntree", "Rutland", "Sandford", "Selby", "Sheridan", "Sinclair",
    "Stafford", "Stirling", "Sutcliffe", "Tarrant", "Thackeray", "Thornton", "Tilbury", "Trelawney",
    "Underhill", "Vaughan", "Wainwright", "Walmsley", "Warwick", "Westbrook", "Whitaker", "Wickham",
    "Winslow", "Woodruff", "Yardley", "Yates", "Brandt", "Dekker", "Fischer", "Janssen", "Keller",
    "Lindqvist", "Moreau", "Nørgaard", "Rossi", "Schäfer", "Vermeer", "Zielinski",
];

#[rustfmt::skip]
const TRADES: &[&str] = &[
    "Accountancy", "Architects", "Bakery", "Brewing", "Builders", "Care Homes", "Catering", "Ceramics",
    "Chambers", "Civil Engineering", "Cold Storage", "Components", "Consulting", "Couriers", "Dental",
    "Design", "Distribution", "Electrical", "Energy", "Estates", "Events", "Farm Supplies", "Fasteners",
    "Fine Foods", "Flooring", "Freight", "Furnishings", "Glazing", "Haulage", "Heating", "Hotels",
    "Insurance Brokers", "Interiors", "Joinery", "Laboratories", "Law", "Leisure", "Lettings", "Lighting",
    "Logistics", "Marine", "Media", "Motors", "Opticians", "Packaging", "Pharmacy", "Plastics",
    "Plumbing", "Precision", "Print", "Property", "Recruitment", "Robotics", "Roofing", "Security",
    "Shipping", "Solar", "Solicitors", "Steel", "Surveyors", "Textiles", "Timber", "Tooling", "Training",
    "Travel", "Veterinary", "Vineyards", "Wholesale", "Window Systems", "Workwear",
];

#[rustfmt::skip]
const TOWNS: &[&str] = &[
    "Aberdeen", "Ashford", "Barnsley", "Bath", "Bedford", "Beverley", "Bolton", "Brighton", "Bury",
    "Buxton", "Cardiff", "Carlisle", "Chester", "Colchester", "Corby", "Derby", "Doncaster", "Dorset",
    "Dover", "Dundee", "Durham", "Ely", "Exeter", "Falmouth", "Gloucester", "Grantham", "Guildford",
    "Halifax", "Hastings", "Hereford", "Hull", "Inverness", "Ipswich", "Kendal", "Kettering", "Lancaster",
    "Leeds", "Lincoln", "Ludlow", "Luton", "Malvern", "Matlock", "Newbury", "Norwich", "Oban", "Oxford",
    "Perth", "Plymouth", "Poole", "Preston", "Reading", "Ripon", "Salford", "Shrewsbury", "Stroud",
    "Swansea", "Taunton", "Truro", "Whitby", "York",
];

/// Names that break what only looks finished: direction, width, escapes, markup, length.
pub(super) const ODD: &[&str] = &[
    "شركة النور للتجارة والمقاولات",
    "Bell\u{7}tower \u{1b}[31mRed Alert\u{1b}[0m Ltd",
    "株式会社さくら電機",
    LONG,
    "Smith & Sons \"The Locksmiths\" <Est. 1922> Ltd",
    "🚀 Rocket Fuel Coffee Ltd",
    "Cafe\u{301} Décomposé SARL",
    "=HYPERLINK(\"http://x.example\",\"Click\") Ltd",
    "Zero\u{200b}Width & Right\u{202e}tfeL Ltd",
    "  Leading and Trailing Space Ltd ",
    "Tab\tand\nNewline Holdings plc",
    "👩‍👩‍👧‍👦 Family Dental 🦷",
    "O'Malley, Söhne & Frères GmbH",
    "北京晨光科技有限公司 (UK Branch)",
    "מאפיית הזהב בע״מ",
    "Ｆｕｌｌｗｉｄｔｈ Ｔｒａｄｉｎｇ Ltd",
];

const LONG: &str = "The Incorporated Society of Bookbinders, Marblers, Gilders, Papermakers, Letterpress Printers, Type \
                    Founders and Allied Trades of the North Riding, the Vale of Mowbray and the Lower Reaches of the \
                    River Swale (Charitable Incorporated Organisation, formerly the Guild of Saint Bartholomew) Limited";

/// Where a company sits: town, start of the postcode, country, its code, currency, legal form.
pub(super) struct Seat {
    pub(super) town: &'static str,
    pub(super) postcode: String,
    pub(super) country: &'static str,
    pub(super) code: &'static str,
    pub(super) currency: &'static str,
}

/// A company that exists in no record yet.
pub(super) struct Name {
    /// Without the legal form.
    pub(super) stem: String,
    pub(super) form: &'static str,
    pub(super) seat: Seat,
}

impl Name {
    pub(super) fn full(&self) -> String {
        if self.form.is_empty() { self.stem.clone() } else { format!("{} {}", self.stem, self.form) }
    }

    /// The same company as somebody else types it.
    pub(super) fn other_form(&self) -> String {
        let other = match self.form {
            "Ltd" => "Limited",
            "Limited" => "Ltd.",
            "plc" => "PLC",
            "GmbH" => "G.m.b.H.",
            "LLP" => "L.L.P.",
            _ => "Ltd",
        };
        format!("{} {other}", self.stem)
    }

    pub(super) fn domain(&self) -> String {
        let plain: String =
            self.stem.to_lowercase().chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        if plain.len() < 4 {
            // Two companies must not share a domain only because neither is written in Latin letters.
            let sum: u32 = self.stem.chars().map(u32::from).sum();
            return format!("customer{sum}.example");
        }
        format!("{plain}.example")
    }
}

/// Draws names without drawing one twice.
pub(super) struct Names {
    rng: Rng,
    used: HashSet<String>,
    odd: usize,
}

impl Names {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: Rng::of(seed, "names"), used: HashSet::new(), odd: 0 }
    }

    pub(super) fn next(&mut self, british_only: bool) -> Name {
        let rng = &mut self.rng;
        let mut stem = String::new();
        for attempt in 0.. {
            let (a, trade, town) = (rng.pick(SURNAMES), rng.pick(TRADES), rng.pick(TOWNS));
            stem = match rng.below(5) {
                0 => format!("{a} & {}", rng.pick(SURNAMES)),
                1 | 2 => format!("{a} {trade}"),
                3 => format!("{town} {trade}"),
                _ => format!("{a} {trade} ({town})"),
            };
            if attempt > 20 {
                stem = format!("{stem} {}", self.used.len());
            }
            if self.used.insert(stem.to_lowercase()) {
                break;
            }
        }
        let abroad = !british_only && rng.chance(0.12);
        let seat = if abroad { abroad_seat(rng) } else { british_seat(rng) };
        let form = match seat.code {
            "DE" => "GmbH",
            "NL" => "B.V.",
            "FR" => "SARL",
            "IE" => "Limited",
            _ => rng.pick::<&str>(&["Ltd", "Ltd", "Ltd", "Limited", "Limited", "LLP", "plc", ""]),
        };
        Name { stem, form, seat }
    }

    /// The next odd name, or none when all were drawn.
    pub(super) fn odd(&mut self) -> Option<Name> {
        let stem = (*ODD.get(self.odd)?).to_owned();
        self.odd += 1;
        Some(Name { stem, form: "", seat: british_seat(&mut self.rng) })
    }
}

fn british_seat(rng: &mut Rng) -> Seat {
    let town = rng.pick(TOWNS);
    let letters: String = town.to_uppercase().chars().take(2).collect();
    let postcode = format!(
        "{letters}{} {}{}{}",
        1 + rng.below(20),
        rng.below(10),
        char::from(b'A' + rng.below(20) as u8),
        char::from(b'A' + rng.below(20) as u8)
    );
    Seat { town, postcode, country: "United Kingdom", code: "GB", currency: "GBP" }
}

fn abroad_seat(rng: &mut Rng) -> Seat {
    let (town, country, code) = *rng.pick(&[
        ("Dublin", "Ireland", "IE"),
        ("Cork", "Ireland", "IE"),
        ("Düsseldorf", "Germany", "DE"),
        ("München", "Germany", "DE"),
        ("Rotterdam", "Netherlands", "NL"),
        ("Lyon", "France", "FR"),
    ]);
    Seat { town, postcode: format!("{}", 10_000 + rng.below(80_000)), country, code, currency: "EUR" }
}

const ROADS: &[&str] = &[
    "Orchard Row",
    "Mill Lane",
    "Station Road",
    "High Street",
    "Canal Wharf",
    "Victoria Park",
    "Church Walk",
];

pub(super) fn street(rng: &mut Rng) -> String {
    format!("{} {}", 1 + rng.below(190), rng.pick(ROADS))
}

/// VAT numbers as people type them.
pub(super) fn vat(rng: &mut Rng, code: &str) -> String {
    let digits = 100_000_000 + rng.below(899_999_999);
    match code {
        "GB" if rng.chance(0.3) => {
            let d = digits.to_string();
            format!("GB{} {} {}", &d[..3], &d[3..7], &d[7..])
        }
        _ => format!("{code}{digits}"),
    }
}
