//! The marketplace's errors: XML, whatever was asked for (apis/also.md 3). Read by local names in one pass; what does
//! not look like such a fault is none. Document types, and with them entities of one's own, are refused.

/// Longer documents are no faults.
const LIMIT: usize = 64 * 1024;
const DEPTH: usize = 32;

/// A fault, as far as it concerns us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    pub session_expired: bool,
    /// The human text: `Message`, else `Text`.
    pub text: String,
}

/// Reads a fault; `None` for anything that is not a well-formed one.
pub fn parse(body: &[u8]) -> Option<Fault> {
    if body.len() > LIMIT {
        return None;
    }
    let mut rest = std::str::from_utf8(body).ok()?.trim();
    let mut open: Vec<&str> = Vec::new();
    let mut content = String::new();
    let (mut message, mut text, mut expired) = (None, None, false);
    let mut root = None;
    while !rest.is_empty() {
        let Some(at) = rest.find('<') else {
            // Text behind the last element.
            return None;
        };
        unescape(&rest[..at], &mut content)?;
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<![CDATA[") {
            let (cdata, after) = after.split_once("]]>")?;
            content.push_str(cdata);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->")?.1;
        } else if let Some(after) = rest.strip_prefix("<?") {
            rest = after.split_once("?>")?.1;
        } else if rest.starts_with("<!") {
            return None;
        } else {
            let (tag, after) = tag(&rest[1..])?;
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                if open.pop()? != name.trim() {
                    return None;
                }
                match local(name.trim()) {
                    "IsSessionExpired" => expired |= content.trim().eq_ignore_ascii_case("true"),
                    "Message" => message = message.or_else(|| given(&content)),
                    "Text" => text = text.or_else(|| given(&content)),
                    _ => {}
                }
                content.clear();
            } else {
                let empty = tag.ends_with('/');
                let name = tag.trim_end_matches('/').split_ascii_whitespace().next()?;
                if open.is_empty() && root.replace(local(name)).is_some() {
                    return None;
                }
                content.clear();
                if !empty {
                    open.push(name);
                    if open.len() > DEPTH {
                        return None;
                    }
                }
            }
        }
    }
    // A SOAP envelope around the fault is tolerated.
    (open.is_empty() && matches!(root, Some("Fault" | "Envelope")))
        .then(|| Fault { session_expired: expired, text: message.or(text).unwrap_or_default() })
}

/// What stands in a tag, and what follows it; a `>` in an attribute's value does not end it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some((&text[..at], &text[at + 1..])),
            (None, '<') => return None,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn given(content: &str) -> Option<String> {
    let text = content.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn unescape(text: &str, into: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        into.push_str(&rest[..at]);
        let (name, after) = rest[at + 1..].split_once(';')?;
        into.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        rest = after;
    }
    into.push_str(rest);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_by_local_name() {
        let soap = br#"<?xml version="1.0"?><!-- x --><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>
            <s:Reason><s:Text xml:lang="en>US">Tom &amp; Jerry &#233;&lt;</s:Text></s:Reason>
            <s:Detail><e:ServiceException xmlns:e="x"><e:IsSessionExpired>true</e:IsSessionExpired><e:IssueToken i:nil="true"/></e:ServiceException></s:Detail></s:Fault></s:Envelope>"#;
        assert_eq!(parse(soap), Some(Fault { session_expired: true, text: "Tom & Jerry é<".into() }));
        let both = b"<Fault><Reason><Text>text</Text></Reason><Detail><Message><![CDATA[a <b>]]></Message></Detail></Fault>";
        assert_eq!(parse(both), Some(Fault { session_expired: false, text: "a <b>".into() }));
    }

    #[test]
    fn everything_else_is_no_fault() {
        for body in [
            "",
            "Service Unavailable",
            "<html><body>down</body></html>",
            "<!DOCTYPE Fault [<!ENTITY x 'y'>]><Fault/>",
            "<Fault><Text>cut",
            "<Fault><Text></Fault></Text>",
            "<Fault></Fault><Fault></Fault>",
            "<Fault>&unknown;</Fault>",
            "<Fault",
            "<Fault></Fault> more",
            "</Fault>",
        ] {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
        assert_eq!(parse("<Fault>".repeat(40).as_bytes()), None);
        assert_eq!(parse(format!("<Fault>{}</Fault>", " ".repeat(LIMIT)).as_bytes()), None);
        assert_eq!(parse(&[b'<', 0xff, b'>']), None);
    }
}
