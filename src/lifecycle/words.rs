//! How spans of time are said.

/// `2 y 3 m`, `11 m`, `0 m`.
pub fn months(months: u32) -> String {
    match (months / 12, months % 12) {
        (0, months) => format!("{months} m"),
        (years, 0) => format!("{years} y"),
        (years, months) => format!("{years} y {months} m"),
    }
}
