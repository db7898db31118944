//! Texts that many rows share, kept once.

use rustc_hash::FxHashMap;

use super::Error;
use crate::text::{Text, Unit};

/// Names, by their normalised text.
#[derive(Default)]
pub struct Names {
    raw: FxHashMap<Box<str>, u32>,
    keys: FxHashMap<Box<[Unit]>, u32>,
    pub list: Vec<Name>,
    text: Text,
}

pub struct Name {
    /// As the source writes it (the first time).
    pub shown: Box<str>,
    pub key: Box<[Unit]>,
    pub roles: u16,
    /// Other names of it.
    pub aliases: Vec<Box<[Unit]>>,
}

/// Ids of names leave room for the form in tables.
const MOST: u32 = 1 << 28;

impl Names {
    /// The id of a name, from 1 on; 0 for the empty name.
    pub fn id(&mut self, raw: &str, role: u16) -> Result<u32, Error> {
        if raw.is_empty() {
            return Ok(0);
        }
        if let Some(id) = self.raw.get(raw) {
            self.list[*id as usize - 1].roles |= role;
            return Ok(*id);
        }
        self.text.read(raw);
        if self.text.is_empty() || self.text.len() > 120 {
            return Ok(0);
        }
        let id = match self.keys.get(&self.text.units[..]) {
            Some(id) => *id,
            None => {
                let id = self.list.len() as u32 + 1;
                if id >= MOST {
                    return Err(Error::TooLarge);
                }
                let key: Box<[Unit]> = self.text.units[..].into();
                self.keys.insert(key.clone(), id);
                self.list.push(Name { shown: raw.trim().into(), key, roles: 0, aliases: Vec::new() });
                id
            }
        };
        self.list[id as usize - 1].roles |= role;
        self.raw.insert(raw.into(), id);
        Ok(id)
    }

    pub fn alias(&mut self, id: u32, alias: &str) {
        if id == 0 {
            return;
        }
        self.text.read(alias);
        let name = &mut self.list[id as usize - 1];
        if self.text.len() >= 2
            && *self.text.units != *name.key
            && !name.aliases.iter().any(|a| **a == *self.text.units)
        {
            name.aliases.push(self.text.units[..].into());
        }
    }

    /// Orders the names by their keys; gives the new id for each old one.
    pub fn sort(&mut self) -> Vec<u32> {
        self.raw = FxHashMap::default();
        self.keys = FxHashMap::default();
        let list = std::mem::take(&mut self.list);
        let mut order: Vec<u32> = (0..list.len() as u32).collect();
        order.sort_unstable_by(|a, b| list[*a as usize].key.cmp(&list[*b as usize].key));
        let mut new = vec![0; list.len() + 1];
        for (k, old) in order.iter().enumerate() {
            new[*old as usize + 1] = k as u32 + 1;
        }
        let mut slots: Vec<Option<Name>> = list.into_iter().map(Some).collect();
        self.list = order.iter().filter_map(|o| slots[*o as usize].take()).collect();
        new
    }
}

/// Numbers of one kind (all lanes, all rooms): as written, with their code.
#[derive(Default)]
pub struct Parts {
    raw: FxHashMap<Box<str>, u32>,
    pub list: Vec<(u64, Box<str>)>,
}

impl Parts {
    pub fn id(&mut self, raw: &str, code: impl Fn(&str) -> u64) -> u32 {
        if raw.is_empty() {
            return 0;
        }
        if let Some(id) = self.raw.get(raw) {
            return *id;
        }
        let code = code(raw);
        if code == 0 && !raw.chars().any(|c| c == '0' || c == '０' || c == '〇' || c == '零') {
            return 0;
        }
        let id = self.list.len() as u32 + 1;
        self.list.push((code, raw.trim().into()));
        self.raw.insert(raw.into(), id);
        id
    }

    /// Orders them by their codes; gives the new id for each old one.
    pub fn sort(&mut self) -> Vec<u32> {
        self.raw = FxHashMap::default();
        let mut order: Vec<u32> = (0..self.list.len() as u32).collect();
        order.sort_unstable_by(|a, b| self.list[*a as usize].cmp(&self.list[*b as usize]));
        let mut new = vec![0; self.list.len() + 1];
        for (k, old) in order.iter().enumerate() {
            new[*old as usize + 1] = k as u32 + 1;
        }
        self.list.sort_unstable();
        new
    }
}
