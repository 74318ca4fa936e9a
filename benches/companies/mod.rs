//! Made-up companies as two systems spell them: words are drawn, then spoilt. It knows nothing of the rules of matching.

const FIRST: &[&str] = &[
    "Alder",
    "Ashby",
    "Barton",
    "Beacon",
    "Birchwood",
    "Blackwell",
    "Bramley",
    "Bridgeford",
    "Calder",
    "Cardinal",
    "Castle",
    "Chester",
    "Clarendon",
    "Cobalt",
    "Copperfield",
    "Crescent",
    "Dalton",
    "Denholm",
    "Eastgate",
    "Elmwood",
    "Fairfax",
    "Falcon",
    "Fenwick",
    "Foxglove",
    "Glenmore",
    "Granville",
    "Greenfield",
    "Halford",
    "Harbour",
    "Hawthorn",
    "Highland",
    "Holloway",
    "Ironbridge",
    "Juniper",
    "Kestrel",
    "Kingsley",
    "Lakeside",
    "Langdale",
    "Larkfield",
    "Lomond",
    "Maple",
    "Meridian",
    "Merton",
    "Northgate",
    "Oakham",
    "Orchard",
    "Pemberton",
    "Penrose",
    "Pinnacle",
    "Quayside",
    "Redwood",
    "Riverside",
    "Rosewood",
    "Sandringham",
    "Severn",
    "Silverdale",
    "Stanley",
    "Sterling",
    "Summit",
    "Thornton",
    "Trident",
    "Union",
    "Vale",
    "Wakefield",
    "Waverley",
    "Westbrook",
    "Whitmore",
    "Windermere",
    "Müller",
    "García",
    "Café",
    "Søren",
    "Łukasz",
    "O'Brien",
    "St. Mary's",
    "Žižka",
    "Åberg",
    "Çelik",
];
const SECOND: &[&str] = &[
    "Accountancy",
    "Architects",
    "Automotive",
    "Bakery",
    "Brewery",
    "Building",
    "Care",
    "Catering",
    "Civil",
    "Cleaning",
    "Consulting",
    "Dental",
    "Design",
    "Digital",
    "Electrical",
    "Energy",
    "Engineering",
    "Estates",
    "Events",
    "Finance",
    "Fitness",
    "Foods",
    "Furniture",
    "Garden",
    "Glass",
    "Haulage",
    "Healthcare",
    "Heating",
    "Hotels",
    "Housing",
    "Insurance",
    "Interiors",
    "IT",
    "Joinery",
    "Kitchens",
    "Landscapes",
    "Legal",
    "Lighting",
    "Logistics",
    "Marine",
    "Marketing",
    "Medical",
    "Metals",
    "Motors",
    "Optical",
    "Packaging",
    "Paints",
    "Partners",
    "Pharmacy",
    "Plastics",
    "Plumbing",
    "Print",
    "Property",
    "Recruitment",
    "Roofing",
    "School",
    "Security",
    "Shipping",
    "Solar",
    "Solutions",
    "Steel",
    "Studios",
    "Supplies",
    "Surveyors",
    "Systems",
    "Textiles",
    "Timber",
    "Tools",
    "Travel",
    "Veterinary",
];
const THIRD: &[&str] =
    &["Group", "Holdings", "Services", "UK", "International", "North", "South", "London", "& Sons"];
const FORMS: &[&str] = &["Ltd", "Limited", "LLP", "plc", "", "", "Ltd."];

/// SplitMix64: the same seed gives the same names anywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
    fn one<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A made-up surname-like word, so that not all names are of one small vocabulary.
fn invented(dice: &mut Dice) -> String {
    const HEADS: &[&str] =
        &["Br", "Cl", "D", "F", "Gr", "H", "K", "L", "M", "N", "P", "R", "S", "St", "T", "V", "W"];
    const MIDS: &[&str] = &["a", "e", "i", "o", "u", "ea", "ou", "ai"];
    const TAILS: &[&str] =
        &["ck", "ll", "nd", "nt", "rd", "rk", "st", "tt", "ver", "by", "ton", "ham", "ley", "son"];
    format!(
        "{}{}{}{}",
        dice.one(HEADS),
        dice.one(MIDS),
        dice.one(TAILS),
        if dice.chance(30) { dice.one(TAILS) } else { "" }
    )
}

fn name(dice: &mut Dice) -> Vec<String> {
    let mut words = vec![if dice.chance(55) { dice.one(FIRST).to_owned() } else { invented(dice) }];
    if dice.chance(25) {
        words.push(invented(dice));
    }
    words.push(dice.one(SECOND).to_owned());
    if dice.chance(25) {
        words.push(dice.one(THIRD).to_owned());
    }
    if dice.chance(4) {
        words.push((dice.below(98) + 1).to_string());
    }
    words
}

fn typo(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 4 || letters.iter().any(char::is_ascii_digit) {
        return word.to_owned();
    }
    let at = 1 + dice.below(letters.len() - 2);
    match dice.below(4) {
        0 => drop(letters.remove(at)),
        1 => letters.swap(at, at + 1),
        2 => letters.insert(at, letters[at]),
        _ => letters[at] = char::from(b'a' + dice.below(26) as u8),
    }
    letters.into_iter().collect()
}

/// The same company as the other system spells it.
fn spoilt(words: &[String], dice: &mut Dice) -> String {
    let mut words = words.to_vec();
    match dice.below(100) {
        0..35 => {}
        35..60 => {
            let at = dice.below(words.len());
            words[at] = typo(&words[at], dice);
        }
        60..72 if words.len() > 2 => drop(words.pop()),
        72..80 => words.swap(0, 1),
        80..90 => words = words.iter().map(|word| deaccented(word)).collect(),
        _ => words.push(dice.one(THIRD).to_owned()),
    }
    let mut text = words.join(" ");
    if dice.chance(15) {
        text = text.to_uppercase();
    }
    text
}

fn deaccented(word: &str) -> String {
    word.chars()
        .map(|c| match c {
            'ü' => 'u',
            'í' | 'î' => 'i',
            'é' => 'e',
            'ø' => 'o',
            'Ł' => 'L',
            'Ž' => 'Z',
            'ž' => 'z',
            'Å' => 'A',
            'Ç' => 'C',
            '\'' | '.' => ' ',
            other => other,
        })
        .collect()
}

/// A name without what people leave out by habit: to tell whether two are one.
fn plain(name: &str) -> String {
    let name = name.replace('&', " ").to_lowercase();
    let mut words: Vec<String> = name.split_whitespace().map(deaccented).collect();
    words.sort();
    words.join(" ").replace(' ', "")
}

fn with_form(text: &str, dice: &mut Dice) -> String {
    match dice.one(FORMS) {
        "" => text.to_owned(),
        form => format!("{text} {form}"),
    }
}

/// So many companies, each as the one system and as the other has it. Names are all different, and no mistake turns one
/// company's name into another's: nobody could tell these apart.
pub fn pairs(seed: u64, count: usize) -> Vec<(String, String)> {
    let mut dice = Dice(seed);
    let mut seen = std::collections::HashSet::new();
    let mut names = Vec::new();
    while names.len() < count {
        let words = name(&mut dice);
        if seen.insert(plain(&words.join(" "))) {
            names.push(words);
        }
    }
    let spell = |words: Vec<String>| {
        let here = loop {
            let here = spoilt(&words, &mut dice);
            if plain(&here) == plain(&words.join(" ")) || !seen.contains(&plain(&here)) {
                break here;
            }
        };
        (with_form(&here, &mut dice), with_form(&words.join(" "), &mut dice))
    };
    names.into_iter().map(spell).collect()
}

/// The most memory this process has held, MiB.
pub fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(0.0) / 1024.0
}
