//! A map of a few entries in one piece: thousands of them lie in memory at once, where trees would take several times
//! the room.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Kept in the order of its keys. Written as a map is.
#[derive(Clone, PartialEq, Eq)]
pub struct Tally<K, V>(Vec<(K, V)>);

impl<K: Ord, V> Tally<K, V> {
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().and_then(|at| self.0.get(at)).map(|(_, value)| value)
    }

    /// A key's value, to count on; a new one begins with the default.
    pub fn at<Q: Ord + ToOwned<Owned = K> + ?Sized>(&mut self, key: &Q) -> &mut V
    where
        K: Borrow<Q>,
        V: Default,
    {
        let at = self.find(key).unwrap_or_else(|at| {
            self.0.insert(at, (key.to_owned(), V::default()));
            at
        });
        &mut self.0[at].1
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<K, V> Default for Tally<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for Tally<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord + Serialize, V: Serialize> Serialize for Tally<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Tally<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|map| Self(map.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_in_order_and_is_written_as_a_map() {
        let mut tally = Tally::<String, u32>::default();
        for name in ["Watch", "Healthy", "Watch", "Plan"] {
            *tally.at(name) += 1;
        }
        let written = serde_json::to_string(&tally).expect("it is written");
        assert_eq!(written, r#"{"Healthy":1,"Plan":1,"Watch":2}"#);
        assert_eq!(serde_json::from_str::<Tally<String, u32>>(&written).expect("it reads"), tally);
        assert_eq!((tally.get("Watch"), tally.get("Replace")), (Some(&2), None));
        let out_of_order = r#"{"Watch":2,"Plan":1,"Healthy":1}"#;
        assert_eq!(serde_json::from_str::<Tally<String, u32>>(out_of_order).expect("it reads"), tally);
    }
}
