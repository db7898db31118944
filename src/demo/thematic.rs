//! The nine family-planning themes of the demo city, as a department would ask for them. They are made by the service itself: see
//! `commands/serve.rs`.

use serde_json::{Value, json};

use crate::layer::model::ShareClass;

/// Whose themes they are.
pub const OWNER: &str = "health";
/// The catalogue's topic that they are under.
pub const TOPIC: &str = "family-planning";

/// A theme, ready to be made.
pub struct DemoTheme {
    pub id: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    pub class: ShareClass,
    /// The layer that its table is.
    pub layer: &'static str,
    pub kind: &'static str,
    pub palette: &'static str,
    pub measure: Measure,
}

/// What is told of a street.
pub enum Measure {
    Count,
    Sum(&'static str),
    /// A field for each so many of another.
    Ratio(&'static str, &'static str, u32),
}

impl DemoTheme {
    /// As `POST /api/v1/themes` takes it.
    pub fn definition(&self) -> Value {
        let indicator = match self.measure {
            Measure::Count => json!({"kind": "count"}),
            Measure::Sum(field) => json!({"kind": "sum", "field": field}),
            Measure::Ratio(field, denominator, per) => {
                json!({"kind": "ratio", "field": field, "denominator": denominator, "per": per})
            }
        };
        json!({
            "data": {"layer": self.layer},
            "zones": {"layer": "streets", "code": "code", "name": "name", "parent": "district"},
            "join": {"by": "location"},
            "indicator": indicator, "kind": self.kind, "method": "natural_breaks", "classes": 5, "palette": self.palette,
        })
    }
}

/// All nine, each shared as the layer that it is made of.
pub fn all() -> [DemoTheme; 9] {
    use Measure::{Count, Ratio, Sum};
    use ShareClass::{Conditional, NotShared, Unconditional};
    let theme = |id, (zh, en), class, layer, (kind, palette), measure| DemoTheme {
        id,
        zh,
        en,
        class,
        layer,
        kind,
        palette,
        measure,
    };
    let filled = "choropleth";
    let circles = "graduated_symbols";
    [
        theme(
            "theme-married-women",
            ("已婚育龄妇女比重（每百名育龄妇女）", "Married women of a hundred aged 15–49"),
            Conditional,
            "fp-married-women",
            (filled, "purples"),
            Ratio("married_women", "women_15_49", 100),
        ),
        theme(
            "theme-births",
            ("出生率（‰）", "Births per thousand inhabitants"),
            Conditional,
            "fp-births",
            (filled, "blues"),
            Ratio("births", "population", 1000),
        ),
        theme(
            "theme-floating-population",
            ("流入人口", "People who moved in"),
            Conditional,
            "fp-floating-population",
            (circles, "oranges"),
            Sum("moved_in"),
        ),
        theme(
            "theme-only-children",
            ("独生子女家庭比重（每百户）", "One-child families of a hundred households"),
            Conditional,
            "fp-only-children",
            (filled, "greens"),
            Ratio("one_child_families", "households", 100),
        ),
        theme(
            "theme-checkups",
            ("孕前检查率（%）", "Couples checked before pregnancy (%)"),
            Conditional,
            "fp-checkups",
            (filled, "greens"),
            Ratio("couples_checked", "couples_planned", 100),
        ),
        theme(
            "theme-service-stations",
            ("计生服务站数量", "Family planning service stations"),
            Unconditional,
            "fp-service-stations",
            (circles, "purples"),
            Count,
        ),
        theme(
            "theme-contraceptives",
            ("免费药具发放量（盒）", "Free contraceptives (boxes)"),
            Unconditional,
            "fp-contraceptive-points",
            (filled, "oranges"),
            Sum("boxes"),
        ),
        theme(
            "theme-nurseries",
            ("托位使用率（%）", "Nursery places in use (%)"),
            Unconditional,
            "fp-nurseries",
            (filled, "reds"),
            Ratio("children", "places", 100),
        ),
        theme(
            "theme-special-support",
            ("特殊家庭扶助金（元/月）", "Special support (yuan a month)"),
            NotShared,
            "fp-special-support",
            (circles, "reds"),
            Sum("monthly"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::layers;

    #[test]
    fn each_is_made_of_its_owners_layer_and_its_fields_and_shared_like_it() {
        let layers = layers();
        for theme in all() {
            let layer = layers.iter().find(|layer| layer.id == theme.layer).unwrap();
            assert_eq!((layer.department, layer.theme, layer.share_class), (OWNER, TOPIC, theme.class), "{}", theme.id);
            let fields = match theme.measure {
                Measure::Count => vec![],
                Measure::Sum(field) => vec![field],
                Measure::Ratio(field, denominator, _) => vec![field, denominator],
            };
            for name in fields {
                assert!(layer.fields.iter().any(|field| field.name == name), "{} has no {name}", layer.id);
            }
            assert!(!layers.iter().any(|layer| layer.id == theme.id), "{} is a layer already", theme.id);
        }
    }
}
