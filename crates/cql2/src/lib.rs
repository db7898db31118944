//! CQL2 text: parsed and typed once, then evaluated over rows or written as SQL with bound values.
