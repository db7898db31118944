//! A text in the making: the parts of a row as they will be written, and what they still say.

use crate::row::{FIELDS, Field, Kind, Row};
use crate::script;

/// What the right answer to a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// One of the rows that agree with the text.
    Row,
    /// Nothing as precise as a number; the road or a number between its neighbours, if it says so.
    Coarse,
    /// Nothing at all.
    Nothing,
}

pub struct Draft<'a> {
    pub row: &'a Row,
    pub parts: [String; FIELDS],
    /// The parts that are said as they are, by [`Field::bit`]; the others do not bind the truth.
    pub said: u32,
    pub before: String,
    pub after: String,
    /// Between the parts.
    pub between: &'static str,
    /// The whole text, where it is not made of the parts.
    pub whole: Option<String>,
    pub expect: Expect,
}

impl<'a> Draft<'a> {
    /// The standard form: no street, and a community only where it is the village of the number.
    pub fn of(row: &'a Row) -> Draft<'a> {
        let mut parts: [String; FIELDS] = Field::ALL.map(|field| row.get(field).to_owned());
        parts[Field::Street as usize].clear();
        let mut said = !Field::Street.bit();
        if row.kind == Kind::Village {
            parts[Field::Street as usize] = row.get(Field::Street).to_owned();
        } else {
            parts[Field::Community as usize].clear();
            said &= !Field::Community.bit();
        }
        Draft {
            row,
            parts,
            said,
            before: String::new(),
            after: String::new(),
            between: "",
            whole: None,
            expect: Expect::Row,
        }
    }

    pub fn part(&self, field: Field) -> &str {
        &self.parts[field as usize]
    }

    pub fn has(&self, field: Field) -> bool {
        !self.part(field).is_empty()
    }

    /// Writes a part otherwise; what it says stays the same.
    pub fn write(&mut self, field: Field, text: impl Into<String>) {
        self.parts[field as usize] = text.into();
    }

    /// Leaves a part off: it no longer says which row is meant.
    pub fn drop(&mut self, field: Field) -> bool {
        let had = self.has(field);
        self.parts[field as usize].clear();
        self.said &= !field.bit();
        had
    }

    /// Writes something wrong.
    pub fn falsify(&mut self, field: Field, text: impl Into<String>) {
        self.parts[field as usize] = text.into();
        self.said &= !field.bit();
    }

    /// Whether the base is written in traditional script.
    pub fn is_traditional(&self) -> bool {
        self.row.get(Field::City).contains(['臺', '縣']) || self.row.get(Field::District).ends_with('區')
    }

    /// A text of ours in the script of the row.
    pub fn in_script(&self, text: &str) -> String {
        if self.is_traditional() { script::traditional(text) } else { text.to_owned() }
    }

    pub fn map(&mut self, write: &dyn Fn(&str) -> String) {
        for part in self.parts.iter_mut().chain([&mut self.before, &mut self.after]) {
            *part = write(part);
        }
    }

    pub fn text(&self) -> String {
        if let Some(whole) = &self.whole {
            return whole.clone();
        }
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
        format!("{}{}{}", self.before, parts.join(self.between), self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_says_what_stands_in_it() {
        let mut parts = [""; FIELDS];
        for (field, text) in
            [(Field::City, "青岛市"), (Field::Street, "湛山街道"), (Field::Road, "江西路"), (Field::Number, "7号")]
        {
            parts[field as usize] = text;
        }
        let row = Row::new(Kind::Door, (0.0, 0.0), parts, "").unwrap();
        let mut draft = Draft::of(&row);
        assert_eq!(draft.text(), "青岛市江西路7号");
        assert!(draft.drop(Field::City) && !draft.drop(Field::Poi));
        draft.between = " ";
        assert_eq!(draft.text(), "江西路 7号");
        assert_eq!(draft.said & Field::City.bit(), 0);
        assert_ne!(draft.said & Field::Road.bit(), 0);
    }
}
