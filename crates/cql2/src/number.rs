//! Numbers compared by their exact values, whatever their types.

use std::cmp::Ordering;

/// 2^63, the first float above every `i64`; its negative is the lowest `i64`.
pub(crate) const BEYOND: f64 = 9_223_372_036_854_775_808.0;

/// Floats as PostgreSQL orders them: NaN equals itself and is above all, zeros are equal.
pub(crate) fn floats(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// An integer and a float. Neither is converted to a type that cannot hold it.
pub(crate) fn mixed(a: i64, b: f64) -> Ordering {
    if b.is_nan() || b >= BEYOND {
        return Ordering::Less;
    }
    if b < -BEYOND {
        return Ordering::Greater;
    }
    let whole = b.trunc();
    a.cmp(&(whole as i64)).then(floats(whole, b))
}

/// The place of a literal among the values of another number type.
#[derive(Debug, PartialEq)]
pub(crate) enum Place<T> {
    /// It is one of them.
    At(T),
    /// It is none of them, and this is the greatest one below it.
    After(T),
    BelowAll,
    AboveAll,
}

pub(crate) fn among_integers(value: f64) -> Place<i64> {
    match value {
        v if v >= BEYOND => Place::AboveAll,
        v if v < -BEYOND => Place::BelowAll,
        v if v.fract() == 0.0 => Place::At(v as i64),
        v => Place::After(v.floor() as i64),
    }
}

pub(crate) fn among_floats(value: i64) -> Place<f64> {
    let nearest = value as f64;
    match mixed(value, nearest) {
        Ordering::Equal => Place::At(nearest),
        Ordering::Less => Place::After(nearest.next_down()),
        Ordering::Greater => Place::After(nearest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_is_lost() {
        let odd = (1 << 53) + 1;
        assert_eq!(mixed(odd, odd as f64), Ordering::Greater);
        assert_eq!(mixed(i64::MAX, i64::MAX as f64), Ordering::Less);
        assert_eq!(mixed(i64::MIN, i64::MIN as f64), Ordering::Equal);
        assert_eq!(mixed(-1, -1.5), Ordering::Greater);
        assert_eq!(mixed(1, 1.5), Ordering::Less);
        assert_eq!(mixed(0, -0.0), Ordering::Equal);
        assert_eq!(mixed(0, f64::NAN), Ordering::Less);
        assert_eq!(mixed(0, f64::NEG_INFINITY), Ordering::Greater);
    }

    #[test]
    fn literals_find_their_place() {
        assert_eq!(among_integers(-1.5), Place::After(-2));
        assert_eq!(among_integers(1e18), Place::At(1_000_000_000_000_000_000));
        assert_eq!(among_integers(-BEYOND), Place::At(i64::MIN));
        assert_eq!(among_integers(BEYOND), Place::AboveAll);
        assert_eq!(among_floats(3), Place::At(3.0));
        assert_eq!(among_floats((1 << 53) + 1), Place::After((1i64 << 53) as f64));
        assert_eq!(among_floats(i64::MAX), Place::After(BEYOND.next_down()));
    }
}
