//! Tallies: what a summary says of the features of a zone and a category.

/// A sum that does not drift: Neumaier's compensated summation.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Total {
    sum: f64,
    lost: f64,
}

impl Total {
    pub fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    pub fn value(&self) -> f64 {
        self.sum + self.lost
    }
}

/// Of one field.
#[derive(Debug, Clone, Copy, Default)]
struct Values {
    sum: Total,
    weight: Total,
    span: Option<(f64, f64)>,
}

/// Of one zone and category.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    count: Total,
    features: u64,
    area: Total,
    length: Total,
    fields: Vec<Values>,
}

impl Tally {
    pub fn new(fields: usize) -> Tally {
        Tally { fields: vec![Values::default(); fields], ..Tally::default() }
    }

    /// Adds a feature: with which weight (1 when it counts whole), how many square metres and metres of it, its values.
    pub fn add(&mut self, weight: f64, [area, length]: [f64; 2], values: &[Option<f64>]) {
        self.features += 1;
        self.count.add(weight);
        self.area.add(area);
        self.length.add(length);
        for (field, value) in self.fields.iter_mut().zip(values) {
            let Some(value) = value.filter(|v| v.is_finite()) else { continue };
            field.sum.add(value * weight);
            field.weight.add(weight);
            field.span = Some(field.span.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
        }
    }

    /// How many features, by their weights.
    pub fn count(&self) -> f64 {
        self.count.value()
    }

    /// How many features took part, whatever their weights.
    pub fn features(&self) -> u64 {
        self.features
    }

    /// Square metres.
    pub fn area(&self) -> f64 {
        self.area.value()
    }

    /// Metres.
    pub fn length(&self) -> f64 {
        self.length.value()
    }

    /// Of no value there is no sum either.
    pub fn sum(&self, field: usize) -> Option<f64> {
        let of = self.fields.get(field)?;
        of.span.map(|_| of.sum.value())
    }

    /// Weighted.
    pub fn mean(&self, field: usize) -> Option<f64> {
        let of = self.fields.get(field)?;
        let weight = of.weight.value();
        (weight > 0.0).then(|| of.sum.value() / weight)
    }

    pub fn min(&self, field: usize) -> Option<f64> {
        self.fields.get(field)?.span.map(|(low, _)| low)
    }

    pub fn max(&self, field: usize) -> Option<f64> {
        self.fields.get(field)?.span.map(|(_, high)| high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_drift() {
        let mut total = Total::default();
        (0..1_000_000).for_each(|_| total.add(0.1));
        assert_eq!(total.value(), 100_000.0);
        let mut cancelled = Total::default();
        [1e16, 1.0, -1e16].into_iter().for_each(|v| cancelled.add(v));
        assert_eq!(cancelled.value(), 1.0);
    }

    #[test]
    fn a_half_counts_half() {
        let mut tally = Tally::new(1);
        tally.add(1.0, [10.0, 0.0], &[Some(4.0)]);
        tally.add(0.5, [5.0, 0.0], &[Some(1.0)]);
        tally.add(1.0, [1.0, 7.0], &[None]);
        assert_eq!((tally.count(), tally.features(), tally.area(), tally.length()), (2.5, 3, 16.0, 7.0));
        assert_eq!((tally.sum(0), tally.mean(0)), (Some(4.5), Some(3.0)));
        assert_eq!((tally.min(0), tally.max(0), tally.max(1)), (Some(1.0), Some(4.0), None));
        assert_eq!(Tally::new(1).sum(0), None);
    }
}
