//! JSON as vendors write it: any field may be missing, null, or of another type than its document says. A row keeps
//! just the fields that are wanted, so that a page of wide records costs little memory; judging them is `translate`'s.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Number, Value};

/// One value that should be text, number or boolean.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scalar {
    #[default]
    Missing,
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    /// A list or an object.
    Other,
}

impl Scalar {
    /// Text without the spaces around it; `None` for missing, null and blank. Numbers and booleans read as text.
    pub fn text(&self) -> Option<Box<str>> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(Into::into),
            Self::Number(number) => Some(number.to_string().into()),
            Self::Bool(flag) => Some(flag.to_string().into()),
            Self::Missing | Self::Null | Self::Other => None,
        }
    }

    /// A whole number, also as `12.0` or `"12"` (apis/halopsa.md 2.9).
    pub fn id(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A boolean, also as 0 and 1 or as a word (apis/halopsa.md 2.9).
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            Self::Number(number) => number.as_f64().map(|number| number != 0.0),
            Self::Text(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// As JSON, for the strict readers of `model`; missing is null.
    pub fn json(&self) -> Value {
        match self {
            Self::Missing | Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.to_string()),
            Self::Other => Value::Array(Vec::new()),
        }
    }

    pub const fn is_given(&self) -> bool {
        !matches!(self, Self::Missing | Self::Null)
    }
}

fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(flag))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number.into()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number.into()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Number::from_f64(number).map_or(Scalar::Other, Scalar::Number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.into()))
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Null)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// The wanted fields of one record, under the names by which they were asked for; what is not in it was not there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row<'a>(Vec<(&'a str, Scalar)>);

impl<'a> Row<'a> {
    pub fn get(&self, name: &str) -> &Scalar {
        static MISSING: Scalar = Scalar::Missing;
        self.0.iter().find(|(other, _)| *other == name).map_or(&MISSING, |(_, value)| value)
    }

    /// One record that is an answer by itself, or the only element of a list; empty where it is no object.
    ///
    /// # Errors
    /// Not JSON, or cut off.
    pub fn read(body: &[u8], wanted: &'a [&'a str]) -> Result<Self, String> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let row = if body.trim_ascii_start().starts_with(b"[") {
            let rows = MaybeRows(Wanted(wanted)).deserialize(&mut reader);
            let mut rows = rows.map_err(|error| reason(&error))?.unwrap_or_default();
            rows.pop().flatten().filter(|_| rows.is_empty())
        } else {
            Wanted(wanted).deserialize(&mut reader).map_err(|error| reason(&error))?
        };
        reader.end().map_err(|error| reason(&error))?;
        Ok(row.unwrap_or_default())
    }

    /// The same of a record that was read whole.
    pub fn of(record: &Value, wanted: &[&'a str]) -> Option<Self> {
        let record = record.as_object()?;
        let pick = |name: &&'a str| {
            let value = match record.get(*name)? {
                Value::Null => Scalar::Null,
                Value::Bool(flag) => Scalar::Bool(*flag),
                Value::Number(number) => Scalar::Number(number.clone()),
                Value::String(text) => Scalar::Text(text.as_str().into()),
                Value::Array(_) | Value::Object(_) => Scalar::Other,
            };
            Some((*name, value))
        };
        Some(Self(wanted.iter().filter_map(pick).collect()))
    }
}

/// What a list answered: its rows and, where it says so, how many there are in all.
#[derive(Debug)]
pub struct Page<R> {
    /// In their order; `None` for an element that is no object.
    pub rows: Vec<Option<R>>,
    pub total: Option<u64>,
}

/// Reads a list: an envelope with the rows under `key`, or under its only list that is not `columns`, or a bare array
/// (apis/halopsa.md 2.6).
///
/// # Errors
/// Not JSON, cut off, or no list in it; the sentence says which.
pub fn read_page<'a>(body: &[u8], key: &str, wanted: &'a [&'a str]) -> Result<Page<Row<'a>>, String> {
    read_rows(body, key, Wanted(wanted))
}

/// The same list, its rows as a type of their own: for records with lists inside.
///
/// # Errors
/// As [`read_page`]; also a row that is an object of another shape.
pub fn read_page_of<R: de::DeserializeOwned>(body: &[u8], key: &str) -> Result<Page<R>, String> {
    read_rows(body, key, Typed(PhantomData))
}

fn read_rows<'de, R, S>(body: &'de [u8], key: &str, row: S) -> Result<Page<R>, String>
where
    S: DeserializeSeed<'de, Value = Option<R>> + Copy,
{
    let mut reader = serde_json::Deserializer::from_slice(body);
    let page = Envelope { key, row }.deserialize(&mut reader).map_err(|error| reason(&error))?;
    reader.end().map_err(|error| reason(&error))?;
    Ok(page)
}

/// The parser's reason without quoting what a stranger sent.
pub fn reason(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Eof => "it is cut off".to_owned(),
        serde_json::error::Category::Syntax => {
            format!("it is not JSON (line {}, column {})", error.line(), error.column())
        }
        _ => crate::model::text::shown(&error.to_string()).into_owned(),
    }
}

struct Envelope<'a, S> {
    key: &'a str,
    row: S,
}

impl<'de, R, S: DeserializeSeed<'de, Value = Option<R>> + Copy> DeserializeSeed<'de> for Envelope<'_, S> {
    type Value = Page<R>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Page<R>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R, S: DeserializeSeed<'de, Value = Option<R>> + Copy> Visitor<'de> for Envelope<'_, S> {
    type Value = Page<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}", self.key)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Page<R>, A::Error> {
        Ok(Page { rows: rows(seq, self.row)?, total: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page<R>, A::Error> {
        let mut page = Page { rows: Vec::new(), total: None };
        let mut found = None;
        let mut others = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "record_count" {
                page.total = map.next_value::<Scalar>()?.id().and_then(|total| u64::try_from(total).ok());
            } else if name == self.key {
                found = map.next_value_seed(MaybeRows(self.row))?;
            } else if name.starts_with("columns") || found.is_some() {
                map.next_value::<IgnoredAny>()?;
            } else if let Some(rows) = map.next_value_seed(MaybeRows(self.row))? {
                others.push(rows);
            }
        }
        page.rows = match (found, others.len()) {
            (Some(rows), _) => rows,
            (None, 1) => others.remove(0),
            _ => return Err(de::Error::custom(format_args!("it holds no list '{}'", self.key))),
        };
        Ok(page)
    }
}

/// Rows where the value is a list, nothing where it is anything else.
struct MaybeRows<S>(S);

impl<'de, R, S: DeserializeSeed<'de, Value = Option<R>> + Copy> DeserializeSeed<'de> for MaybeRows<S> {
    type Value = Option<Vec<Option<R>>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! nothing {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Self::Value, E> { Ok(None) })*
    };
}

impl<'de, R, S: DeserializeSeed<'de, Value = Option<R>> + Copy> Visitor<'de> for MaybeRows<S> {
    type Value = Option<Vec<Option<R>>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    nothing!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        rows(seq, self.0).map(Some)
    }
}

fn rows<'de, R, A, S>(mut seq: A, seed: S) -> Result<Vec<Option<R>>, A::Error>
where
    A: SeqAccess<'de>,
    S: DeserializeSeed<'de, Value = Option<R>> + Copy,
{
    let mut rows = Vec::new();
    while let Some(row) = seq.next_element_seed(seed)? {
        rows.push(row);
    }
    Ok(rows)
}

/// A row of a type that reads leniently itself.
struct Typed<R>(PhantomData<R>);

impl<R> Clone for Typed<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Typed<R> {}

impl<'de, R: de::DeserializeOwned> DeserializeSeed<'de> for Typed<R> {
    type Value = Option<R>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<R>, D::Error> {
        Ok(match super::lenient::Entry::deserialize(deserializer)? {
            super::lenient::Entry::Object(row) => Some(row),
            super::lenient::Entry::Other => None,
        })
    }
}

#[derive(Clone, Copy)]
struct Wanted<'a>(&'a [&'a str]);

impl<'de, 'a> DeserializeSeed<'de> for Wanted<'a> {
    type Value = Option<Row<'a>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'a> Visitor<'de> for Wanted<'a> {
    type Value = Option<Row<'a>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    nothing!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut row = Vec::with_capacity(self.0.len());
        while let Some(name) = map.next_key_seed(Name(self.0))? {
            match name {
                Some(name) => row.push((name, map.next_value()?)),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some(Row(row)))
    }
}

/// A field's name if it is wanted; the others never become text of ours.
struct Name<'a>(&'a [&'a str]);

impl<'de, 'a> DeserializeSeed<'de> for Name<'a> {
    type Value = Option<&'a str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Option<&'a str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().copied().find(|name| *name == text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(body: &str) -> Result<Vec<Option<String>>, String> {
        let page = read_page(body.as_bytes(), "clients", &["name"])?;
        Ok(page.rows.iter().map(|row| row.as_ref()?.get("name").text().map(Into::into)).collect())
    }

    #[test]
    fn rows_are_found_in_every_shape_of_list() {
        let two = Ok(vec![Some("a".to_owned()), None]);
        for body in [
            r#"{"record_count":2,"clients":[{"id":1,"name":"a"},{"id":2}]}"#,
            r#"{"columns":[{"name":"x"}],"clients":[{"name":" a "},{"name":null}],"other":[]}"#,
            r#"{"results":[{"name":"a"},5],"columns_id":3}"#,
            r#"[{"name":"a"},null]"#,
        ] {
            assert_eq!(names(body), two, "{body}");
        }
        assert_eq!(names(r#"{"clients":[]}"#), Ok(vec![]));
    }

    #[test]
    fn one_record_is_read_by_itself_or_as_the_only_one_of_a_list() {
        let id = |body: &str| Row::read(body.as_bytes(), &["id"]).map(|row| row.get("id").id());
        for one in [r#"{"name":"a","id":7,"more":{"id":1}}"#, r#"[{"id":7}]"#, r#" {"id":"7"} "#] {
            assert_eq!(id(one), Ok(Some(7)), "{one}");
        }
        for none in ["{}", "[]", r#"[{"id":1},{"id":2}]"#, "null", "5", "\"x\""] {
            assert_eq!(id(none), Ok(None), "{none}");
        }
        assert_eq!(id(r#"{"id":7"#), Err("it is cut off".into()));
        assert!(id(r#"{"id":7} x"#).is_err() && id("<html>").is_err());
    }

    #[test]
    fn everything_else_is_no_list() {
        for body in [
            "",
            "{}",
            "null",
            "5",
            "\"x\"",
            r#"{"clients":null}"#,
            r#"{"clients":{}}"#,
            r#"{"a":[],"b":[]}"#,
            r#"{"clients":[{"id":1}"#,
            r#"{"clients":[]} x"#,
            "<html>",
        ] {
            assert!(names(body).is_err(), "{body}");
        }
        assert_eq!(names(r#"{"clients":[{"id":1}"#), Err("it is cut off".into()));
    }

    #[test]
    fn scalars_read_the_spellings_that_vendors_use() {
        let scalar = |json: &str| serde_json::from_str::<Scalar>(json).unwrap();
        for id in ["12", "12.0", "\"12\"", "\" 12 \""] {
            assert_eq!(scalar(id).id(), Some(12), "{id}");
        }
        for no_id in ["null", "12.5", "\"x\"", "true", "[12]", "1e300"] {
            assert_eq!(scalar(no_id).id(), None, "{no_id}");
        }
        for yes in ["true", "1", "\"True\"", "2.0"] {
            assert_eq!(scalar(yes).flag(), Some(true), "{yes}");
        }
        assert_eq!(scalar("{\"a\":[1]}"), Scalar::Other);
        assert_eq!(scalar("0").flag(), Some(false));
    }
}
