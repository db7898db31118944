//! A bucket of tokens: so many requests a second, and as many at once.

/// Times are seconds of any clock that only goes forwards.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    rate: f64,
    left: f64,
    at: f64,
}

impl Bucket {
    /// A full one.
    pub fn new(rate: u32, now: f64) -> Bucket {
        let rate = f64::from(rate.max(1));
        Bucket { rate, left: rate, at: now }
    }

    /// Takes a token, or says in how many seconds there is one.
    pub fn take(&mut self, now: f64) -> Result<(), f64> {
        self.left = (self.left + (now - self.at).max(0.0) * self.rate).min(self.rate);
        self.at = self.at.max(now);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        Err((1.0 - self.left) / self.rate)
    }

    pub fn rate(&self) -> u32 {
        self.rate as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_rate_over_any_while() {
        let mut bucket = Bucket::new(5, 100.0);
        assert_eq!((0..20).filter(|_| bucket.take(100.0).is_ok()).count(), 5);
        let wait = bucket.take(100.0).unwrap_err();
        assert!((wait - 0.2).abs() < 1e-9);
        assert!(bucket.take(100.0 + wait).is_ok());
        // Ten seconds of asking every millisecond.
        let taken = (0..10_000).filter(|i| bucket.take(101.0 + f64::from(*i) / 1000.0).is_ok()).count();
        assert!((49..=55).contains(&taken), "{taken}");
        // A clock that stands or goes back gives nothing.
        let mut bucket = Bucket::new(1, 50.0);
        assert!(bucket.take(50.0).is_ok() && bucket.take(10.0).is_err());
    }
}
