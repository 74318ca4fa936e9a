//! A JSON list read while it arrives, record by record: for lists that a vendor does not page and that may have
//! hundreds of megabytes (decision 22). Memory holds one record.

/// The most of one record.
pub const RECORD_LIMIT: usize = 1024 * 1024;

/// Members of an envelope under which the rows may be (apis/liongard.md 8.3).
const WRAPPERS: [&str; 5] = ["Data", "data", "items", "results", "value"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first character.
    Start,
    /// In the object around the list, so many levels down; the list is still to come, or has been.
    Around {
        depth: u32,
        seen: bool,
    },
    /// Between two records.
    Between {
        enveloped: bool,
    },
    /// In a record, so many levels down in it.
    Inside {
        depth: u32,
        enveloped: bool,
    },
    End,
}

/// Takes bytes as they come and hands out the elements of the one list in them.
pub struct Records<F> {
    place: Place,
    in_text: bool,
    escaped: bool,
    record: Vec<u8>,
    /// The record is beyond the limit: the rest of it is skipped.
    too_large: bool,
    /// The last text at the first level of an envelope: the name of the member that follows.
    name: Vec<u8>,
    wrong: Option<&'static str>,
    each: F,
}

impl<F: FnMut(Result<&[u8], &'static str>)> Records<F> {
    /// `each` gets every element: its bytes, or why it cannot be read.
    pub fn new(each: F) -> Self {
        Self {
            place: Place::Start,
            in_text: false,
            escaped: false,
            record: Vec::new(),
            too_large: false,
            name: Vec::new(),
            wrong: None,
            each,
        }
    }

    /// Takes the next piece; `false`: what comes is no list, so there is no use in reading on.
    pub fn push(&mut self, piece: &[u8]) -> bool {
        for byte in piece {
            self.take(*byte);
            if self.wrong.is_some() {
                return false;
            }
        }
        true
    }

    /// Whether a whole list has been read.
    ///
    /// # Errors
    /// It is cut off, or it was no list.
    pub fn finish(self) -> Result<(), &'static str> {
        match (self.wrong, self.place) {
            (Some(wrong), _) => Err(wrong),
            (None, Place::End) => Ok(()),
            (None, Place::Start) => Err("it is empty"),
            (None, _) => Err("it is cut off"),
        }
    }

    fn take(&mut self, byte: u8) {
        if self.in_text {
            self.text(byte);
            return;
        }
        let blank = byte.is_ascii_whitespace();
        match self.place {
            Place::Start | Place::End if blank || matches!(byte, 0xEF | 0xBB | 0xBF) => {}
            Place::End => self.wrong = Some("something follows its end"),
            Place::Start => match byte {
                b'[' => self.place = Place::Between { enveloped: false },
                b'{' => self.place = Place::Around { depth: 1, seen: false },
                _ => self.wrong = Some("it is no list"),
            },
            Place::Around { depth, seen } => match byte {
                b'"' => {
                    self.in_text = true;
                    if depth == 1 {
                        self.name.clear();
                    }
                }
                b'[' if depth == 1 && !seen && WRAPPERS.iter().any(|name| name.as_bytes() == self.name) => {
                    self.place = Place::Between { enveloped: true };
                }
                b'{' | b'[' => self.place = Place::Around { depth: depth + 1, seen },
                b'}' | b']' if depth == 1 => {
                    self.place = Place::End;
                    if !seen {
                        self.wrong = Some("there is no list in it");
                    }
                }
                b'}' | b']' => self.place = Place::Around { depth: depth - 1, seen },
                _ => {}
            },
            Place::Between { enveloped } => match byte {
                b',' => {}
                b']' if enveloped => self.place = Place::Around { depth: 1, seen: true },
                b']' => self.place = Place::End,
                _ if blank => {}
                _ => {
                    self.record.clear();
                    self.too_large = false;
                    self.place = Place::Inside { depth: 0, enveloped };
                    self.inside(byte, 0, enveloped);
                }
            },
            Place::Inside { depth, enveloped } => self.inside(byte, depth, enveloped),
        }
    }

    fn inside(&mut self, byte: u8, depth: u32, enveloped: bool) {
        let depth = match byte {
            b'"' => {
                self.in_text = true;
                depth
            }
            b'{' | b'[' => depth + 1,
            b'}' | b']' if depth > 0 => depth - 1,
            // A bare value ends with what separates it from the next.
            b',' | b']' if depth == 0 => {
                self.hand_out(enveloped);
                self.take(byte);
                return;
            }
            _ => depth,
        };
        self.keep(byte);
        self.place = Place::Inside { depth, enveloped };
        if depth == 0 && matches!(byte, b'}' | b']') {
            self.hand_out(enveloped);
        }
    }

    fn text(&mut self, byte: u8) {
        let ends = !self.escaped && byte == b'"';
        self.escaped = !self.escaped && byte == b'\\';
        self.in_text = !ends;
        match self.place {
            Place::Inside { .. } => self.keep(byte),
            Place::Around { depth: 1, .. } if !ends && self.name.len() < 16 => self.name.push(byte),
            _ => {}
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.record.len() < RECORD_LIMIT {
            self.record.push(byte);
        } else {
            self.too_large = true;
        }
    }

    fn hand_out(&mut self, enveloped: bool) {
        self.place = Place::Between { enveloped };
        if self.too_large {
            (self.each)(Err("a record of it has more than 1 MiB"));
        } else {
            (self.each)(Ok(&self.record));
        }
        // One huge record must not keep its room for the rest of the list.
        if self.record.capacity() > RECORD_LIMIT / 4 {
            self.record = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text, handed over in pieces of each size.
    fn read(text: &str) -> (Vec<String>, Result<(), &'static str>) {
        let mut last = None;
        for size in [1, 2, 7, 1000] {
            let mut records = Vec::new();
            let mut reader = Records::new(|record: Result<&[u8], _>| {
                records.push(record.map_or_else(str::to_owned, |r| String::from_utf8_lossy(r).into_owned()));
            });
            for piece in text.as_bytes().chunks(size) {
                if !reader.push(piece) {
                    break;
                }
            }
            let end = reader.finish();
            if let Some(last) = &last {
                assert_eq!(last, &(records.clone(), end), "in pieces of {size}: {text}");
            }
            last = Some((records, end));
        }
        last.unwrap()
    }

    #[test]
    fn records_come_out_of_every_shape_of_list_whatever_the_pieces() {
        let two = vec![r#"{"a":"]},{\""}"#.to_owned(), r#"{"b":[1,{"c":2}]}"#.to_owned()];
        for text in [
            r#"[{"a":"]},{\""},{"b":[1,{"c":2}]}]"#,
            " [ {\"a\":\"]},{\\\"\"} ,\n{\"b\":[1,{\"c\":2}]} ] ",
            r#"{"Success":true,"Data":[{"a":"]},{\""},{"b":[1,{"c":2}]}],"Pagination":{"x":[1]}}"#,
            "\u{feff}[{\"a\":\"]},{\\\"\"},{\"b\":[1,{\"c\":2}]}]",
        ] {
            let text = text.replace(" ,\n", ",");
            assert_eq!(read(&text), (two.clone(), Ok(())), "{text}");
        }
        assert_eq!(read("[]").1, Ok(()));
        assert_eq!(read("[1, null,\"x\"]").0, ["1", "null", "\"x\""]);
    }

    #[test]
    fn what_is_cut_off_or_no_list_is_said() {
        for (text, why) in [
            ("", "it is empty"),
            ("[{\"a\":1},", "it is cut off"),
            ("[{\"a\":1", "it is cut off"),
            ("{\"Data\":[{}]", "it is cut off"),
            ("{\"error\":\"Internal Server Error\"}", "there is no list in it"),
            ("{\"x\":{\"Data\":[1]}}", "there is no list in it"),
            ("<html>", "it is no list"),
            ("[] []", "something follows its end"),
        ] {
            assert_eq!(read(text).1, Err(why), "{text}");
        }
    }

    #[test]
    fn a_record_beyond_the_limit_is_named_and_the_next_is_read() {
        let text = format!("[{{\"a\":\"{}\"}},{{\"b\":1}}]", "x".repeat(RECORD_LIMIT));
        let mut records = Vec::new();
        let mut reader = Records::new(|record: Result<&[u8], _>| records.push(record.map(<[u8]>::to_vec)));
        assert!(reader.push(text.as_bytes()));
        assert_eq!(reader.finish(), Ok(()));
        assert_eq!(records, [Err("a record of it has more than 1 MiB"), Ok(b"{\"b\":1}".to_vec())]);
    }
}
