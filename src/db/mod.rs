//! The database: an embedded cluster or an existing one, pools, migrations, and SQL made of identifiers and bound values.

pub mod cancel;
pub mod embedded;
pub mod migrate;
pub mod pool;
pub mod sql;
pub mod sqlstate;
