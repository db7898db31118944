//! The tree as SQL.

use crate::Sql;
use crate::expr::Expr;

impl Expr {
    /// Writes the condition. Not yet: nothing matches.
    pub fn sql(&self, out: &mut dyn Sql) {
        out.text("false");
    }
}
