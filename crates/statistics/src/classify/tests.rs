//! Published results, brute force on small inputs, and what is odd.

use proptest::prelude::*;

use super::*;

/// Jenks and Caspall's choropleth example as PySAL carries it (`mapclassify.load_example`, its documented input): employment density in
/// 58 counties of California.
const CALEMP: [f64; 58] = [
    329.92, 0.42, 5.9, 14.03, 2.78, 1.34, 181.27, 1.65, 10.03, 16.7, 1.32, 3.99, 3.16, 0.22, 8.7, 6.56, 3.27, 0.33,
    370.5, 4.51, 75.29, 0.99, 2.74, 8.68, 0.14, 0.92, 12.63, 28.7, 12.02, 722.85, 36.68, 0.74, 29.82, 192.05, 3.38,
    11.15, 110.74, 4111.45, 49.47, 10.33, 317.11, 20.47, 264.93, 66.26, 5.39, 0.13, 0.61, 50.65, 40.48, 36.67, 13.09,
    1.81, 0.2, 7.6, 2.51, 57.26, 24.32, 6.97,
];

fn of(values: &[f64], method: Method, classes: usize) -> Classes {
    classify(values, &Wanted { method, classes, breaks: vec![] }).unwrap()
}

fn near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{found:?} is not {expected:?}");
    }
}

/// The tables that mapclassify's documentation prints for this input (EqualInterval, Quantiles, FisherJenks, HeadTailBreaks, StdMean,
/// UserDefined, PrettyBreaks with five classes); those of FisherJenks are also what classInt's style "fisher" gives.
#[test]
fn breaks_are_those_of_the_published_tables() {
    for (method, upper, counts) in [
        (Method::EqualInterval, vec![822.394, 1644.658, 2466.922, 3289.186, 4111.45], vec![57, 0, 0, 0, 1]),
        (Method::Quantile, vec![1.464, 5.798, 13.278, 54.616, 4111.45], vec![12, 11, 12, 11, 12]),
        (Method::NaturalBreaks, vec![75.29, 192.05, 370.5, 722.85, 4111.45], vec![49, 3, 4, 1, 1]),
        (Method::HeadTail, vec![125.92810344827588, 811.26, 4111.45], vec![50, 7, 1]),
        (Method::Pretty, vec![1000.0, 2000.0, 3000.0, 4000.0, 5000.0], vec![57, 0, 0, 0, 1]),
        // Without the two classes below zero, in which nothing can lie.
        (Method::StandardDeviation, vec![672.5733320847992, 1219.2185607213223, 4111.45], vec![56, 1, 1]),
    ] {
        let classes = of(&CALEMP, method, 5);
        near(&classes.upper, &upper);
        assert_eq!(classes.counts, counts, "{method:?}");
    }
    let manual = Wanted { method: Method::Manual, classes: 0, breaks: vec![20.0, 50.0, 100.0] };
    let classes = classify(&CALEMP, &manual).unwrap();
    assert_eq!(classes.upper, [20.0, 50.0, 100.0, 4111.45]);
    assert_eq!(classes.counts, [37, 8, 4, 9]);
}

#[test]
fn a_value_lies_in_the_class_whose_upper_bound_it_is() {
    let classes = of(&[1.0, 2.0, 3.0, 4.0], Method::EqualInterval, 3);
    assert_eq!(classes.upper, [2.0, 3.0, 4.0]);
    assert_eq!([0.0, 1.0, 2.0, 2.1, 3.0, 4.0, 9.0].map(|v| classes.of(v).unwrap()), [0, 0, 0, 1, 1, 2, 2]);
    assert_eq!(classes.of(f64::NAN), None);
}

#[test]
fn what_is_no_number_is_counted_as_missing_and_equal_values_are_one_class() {
    for method in Method::ALL {
        let breaks = if method == Method::Manual { vec![7.0] } else { vec![] };
        let wanted = Wanted { method, classes: 5, breaks };
        let odd = [7.0, f64::NAN, 7.0, f64::INFINITY, f64::NEG_INFINITY, 7.0];
        let classes = classify(&odd, &wanted).unwrap();
        assert_eq!((classes.upper.as_slice(), classes.counts.as_slice()), (&[7.0][..], &[3][..]), "{method:?}");
        assert_eq!((classes.summary.count, classes.summary.missing), (3, 3));
        assert_eq!(classes.histogram.counts, [3]);
        for empty in [&[][..], &[f64::NAN]] {
            assert_eq!(classify(empty, &wanted).unwrap_err().parameter, "values");
        }
    }
    let few = of(&[1.0, 1.0, 9.0, 9.0, 5.0], Method::NaturalBreaks, 6);
    assert_eq!((few.upper, few.counts, few.fit), (vec![1.0, 5.0, 9.0], vec![2, 1, 2], 1.0));
    // Minus zero and zero are one value.
    assert_eq!(of(&[0.0, -0.0, 1.0], Method::NaturalBreaks, 5).upper, [0.0, 1.0]);
}

#[test]
fn what_cannot_be_done_is_said() {
    let refused = |method, classes, breaks: &[f64]| {
        classify(&[-1.0, 2.0], &Wanted { method, classes, breaks: breaks.to_vec() }).unwrap_err().parameter
    };
    assert_eq!(refused(Method::Quantile, 1, &[]), "classes");
    assert_eq!(refused(Method::Quantile, 13, &[]), "classes");
    assert_eq!(refused(Method::Quantile, 5, &[1.0]), "breaks");
    assert_eq!(refused(Method::Manual, 5, &[]), "breaks");
    assert_eq!(refused(Method::Manual, 5, &[2.0, 2.0]), "breaks");
    assert_eq!(refused(Method::Manual, 5, &[f64::NAN]), "breaks");
    let twelve: Vec<f64> = (-11..=0).map(f64::from).collect();
    assert_eq!(refused(Method::Manual, 5, &twelve), "breaks");
    assert_eq!(refused(Method::Geometric, 5, &[]), "method");
}

#[test]
fn ends_of_the_range_of_numbers_do_no_harm() {
    let ends = [f64::MIN, f64::MAX, 0.0, 1.0, -1.0, f64::MIN_POSITIVE];
    for method in Method::ALL.into_iter().filter(|m| !matches!(m, Method::Manual | Method::Geometric)) {
        let classes = of(&ends, method, 4);
        assert_eq!(classes.counts.iter().sum::<usize>(), ends.len(), "{method:?} {classes:?}");
    }
    // Values that differ in their last digits only.
    let close: Vec<f64> = (0..20).map(|i| 1e9 + f64::from(i / 5) * 1e-3 + f64::from(i) * 1e-6).collect();
    assert_eq!(of(&close, Method::NaturalBreaks, 4).counts, [5, 5, 5, 5]);
}

#[test]
fn a_hundred_thousand_values_are_partitioned_exactly() {
    // Twelve clumps far from each other: the best breaks are known.
    let values: Vec<f64> = (0..100_000).map(|i| f64::from(i % 12) * 1000.0 + f64::from(i / 12) * 1e-3).collect();
    let classes = of(&values, Method::NaturalBreaks, 12);
    assert!(classes.counts.iter().all(|c| *c == 8333 || *c == 8334), "{:?}", classes.counts);
}

/// The least cost of all partitions, tried one by one.
fn brute(sorted: &[f64], k: usize) -> f64 {
    let cost = |part: &[f64]| {
        let mean = part.iter().sum::<f64>() / part.len() as f64;
        part.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>()
    };
    if k == 1 || sorted.len() <= 1 {
        return cost(sorted);
    }
    (1..sorted.len()).map(|cut| cost(&sorted[..cut]) + brute(&sorted[cut..], k - 1)).fold(cost(sorted), f64::min)
}

proptest! {
    #[test]
    fn natural_breaks_are_as_good_as_the_best_of_all_partitions(
        values in prop::collection::vec(-40i32..40, 1..11), k in 2usize..5,
    ) {
        let values: Vec<f64> = values.into_iter().map(|v| f64::from(v) / 4.0).collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let classes = of(&values, Method::NaturalBreaks, k);
        let mut start = 0;
        let mut within = 0.0;
        for count in &classes.counts {
            within += brute(&sorted[start..start + count], 1).max(0.0) * f64::from(*count != 0);
            start += count;
        }
        let best = brute(&sorted, k);
        prop_assert!(within <= best + 1e-9, "{within} is worse than {best}: {classes:?}");
    }

    #[test]
    fn every_value_lies_in_the_class_that_counts_it(
        values in prop::collection::vec(prop_oneof![-1e6f64..1e6, Just(0.0), Just(f64::NAN), 0.0f64..1.0], 1..200),
        k in 2usize..=12, method in 0usize..7,
    ) {
        let method = Method::ALL[method];
        let wanted = Wanted { method, classes: k, breaks: vec![] };
        let Ok(classes) = classify(&values, &wanted) else { return Ok(()) };
        let mut counts = vec![0; classes.upper.len()];
        for value in values.iter().filter(|v| v.is_finite()) {
            let class = classes.of(*value).unwrap();
            let (from, to) = classes.bounds().nth(class).unwrap();
            prop_assert!(*value <= to && (*value > from || class == 0 && *value >= from), "{value} in {from}..{to}");
            counts[class] += 1;
        }
        prop_assert_eq!(&counts, &classes.counts);
        prop_assert!(classes.upper.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", classes);
        prop_assert!(method == Method::Pretty || classes.upper.len() <= k);
        prop_assert_eq!(classes.histogram.counts.iter().sum::<usize>(), classes.summary.count);
        prop_assert!(classes.upper.len() <= 2 * k);
    }
}
