//! What was used lately, bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

/// A cache of two generations: when the young one is full it becomes the old one, and what nobody asked for since is
/// forgotten. Holds at most twice `most` entries.
pub(crate) struct Recent<K, V> {
    most: usize,
    generations: Mutex<(HashMap<K, V>, HashMap<K, V>)>,
}

impl<K: Eq + Hash + Clone, V: Clone> Recent<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            generations: Mutex::default(),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut generations = self.generations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(value) = generations.0.get(key) {
            return Some(value.clone());
        }
        let (key, value) = generations.1.remove_entry(key)?;
        self.place(&mut generations, key, value.clone());
        Some(value)
    }

    pub(crate) fn put(&self, key: K, value: V) {
        let mut generations = self.generations.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.place(&mut generations, key, value);
    }

    fn place(&self, generations: &mut (HashMap<K, V>, HashMap<K, V>), key: K, value: V) {
        if generations.0.len() >= self.most {
            generations.1 = std::mem::take(&mut generations.0);
        }
        generations.0.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let recent = Recent::new(10);
        recent.put(0, "kept");
        for n in 1..1000 {
            recent.put(n, "other");
            assert_eq!(recent.get(&0), Some("kept"), "after {n}");
        }
        let (young, old) = &*recent.generations.lock().unwrap();
        assert!(young.len() <= 10 && old.len() <= 10);
    }
}
