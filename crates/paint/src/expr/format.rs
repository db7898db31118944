//! Texts of several looks (`format`), and numbers as people write them (`number-format`).

use std::sync::Arc;

use super::ops::{LONGEST, too_long};
use super::{Context, Expr, Failure, Formatted, Section, Value};

#[derive(Debug, Clone)]
pub struct SectionExpr {
    pub content: Expr,
    pub scale: Option<Expr>,
    pub font: Option<Expr>,
    pub color: Option<Expr>,
    pub vertical_align: Option<Expr>,
}

impl SectionExpr {
    pub fn each_child<'a>(&'a self, see: &mut dyn FnMut(&'a Expr)) {
        see(&self.content);
        let options = [&self.scale, &self.font, &self.color, &self.vertical_align];
        options.into_iter().flatten().for_each(see);
    }

    fn section(&self, context: &Context<'_>) -> Result<Section, Failure> {
        let option = |e: &Option<Expr>| e.as_ref().map(|e| e.evaluate(context)).transpose();
        let vertical_align = match option(&self.vertical_align)? {
            Some(Value::String(align)) => Some(align),
            _ => None,
        };
        match self.content.evaluate(context)? {
            Value::Image(image) => Ok(Section { image: Some(image), vertical_align, ..Section::default() }),
            content => Ok(Section {
                text: content.to_text().into(),
                image: None,
                scale: option(&self.scale)?.as_ref().and_then(Value::number),
                font_stack: match option(&self.font)? {
                    Some(Value::Array(names)) => {
                        Some(names.iter().map(Value::to_text).collect::<Vec<_>>().join(",").into())
                    }
                    _ => None,
                },
                color: match option(&self.color)? {
                    Some(Value::Color(c)) => Some(c),
                    _ => None,
                },
                vertical_align,
            }),
        }
    }
}

pub fn format(sections: &[SectionExpr], context: &Context<'_>) -> Result<Value, Failure> {
    let (mut all, mut length) = (Vec::with_capacity(sections.len()), 0);
    for section in sections {
        let section = section.section(context)?;
        length += section.text.len();
        if length > LONGEST {
            return Err(too_long());
        }
        all.push(section);
    }
    Ok(Value::Formatted(Arc::new(Formatted { sections: all })))
}

/// The options of `number-format`.
#[derive(Debug, Clone, Default)]
pub struct NumberStyle {
    pub locale: Option<Expr>,
    pub currency: Option<Expr>,
    pub unit: Option<Expr>,
    pub least_digits: Option<Expr>,
    pub most_digits: Option<Expr>,
}

impl NumberStyle {
    pub fn each_child<'a>(&'a self, see: &mut dyn FnMut(&'a Expr)) {
        let options = [&self.locale, &self.currency, &self.unit, &self.least_digits, &self.most_digits];
        options.into_iter().flatten().for_each(see);
    }

    pub fn write(&self, number: f64, context: &Context<'_>) -> Result<Value, Failure> {
        let option = |e: &Option<Expr>| e.as_ref().map(|e| e.evaluate(context)).transpose();
        let text = |e: &Option<Expr>| Ok(option(e)?.as_ref().and_then(Value::text).map(str::to_owned));
        let digits = |e: &Option<Expr>| {
            let n = option(e)?.as_ref().and_then(Value::number);
            match n {
                Some(n) if !(0.0..=20.0).contains(&n) => Err(Failure::new("a number is written with 0 to 20 digits")),
                n => Ok(n.map(|n| n as usize)),
            }
        };
        let (locale, currency, unit) = (text(&self.locale)?, text(&self.currency)?, text(&self.unit)?);
        // Money without small coins.
        let usual = match currency.as_deref() {
            Some("JPY" | "KRW" | "VND") => (0, 0),
            Some(_) => (2, 2),
            None => (0, 3),
        };
        let (least, most) = (digits(&self.least_digits)?, digits(&self.most_digits)?);
        let least_digits = least.unwrap_or(usual.0.min(most.unwrap_or(20)));
        let most_digits = most.unwrap_or(usual.1.max(least_digits));
        if least_digits > most_digits {
            return Err(Failure::new("min-fraction-digits is larger than max-fraction-digits"));
        }
        let locale = locale.as_deref().unwrap_or("en-US");
        let plain = grouped(number, least_digits, most_digits, locale);
        Ok(Value::from(match (currency, unit) {
            (Some(currency), _) => money(&plain, &currency, locale),
            (_, Some(unit)) if matches!(unit.as_str(), "celsius" | "percent") => plain + sign_of_unit(&unit),
            (_, Some(unit)) => format!("{plain} {}", sign_of_unit(&unit)),
            _ => plain,
        }))
    }
}

/// Thousands and decimals as a language divides them.
fn separators(locale: &str) -> (&'static str, &'static str) {
    match locale.split(['-', '_']).next().unwrap_or_default() {
        "de" | "es" | "it" | "nl" | "pt" | "id" | "tr" | "da" | "el" => (".", ","),
        "fr" => ("\u{202f}", ","),
        "ru" | "cs" | "pl" | "sv" | "fi" | "uk" | "nb" | "no" | "bg" | "hu" | "sk" => ("\u{a0}", ","),
        _ => (",", "."),
    }
}

fn grouped(number: f64, least: usize, most: usize, locale: &str) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "∞"
        } else {
            "-∞"
        }
        .to_owned();
    }
    let (thousands, decimal) = separators(locale);
    // No digits beyond those that tell the number from its neighbours.
    let shortest = number.abs().to_string();
    let digits = shortest.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let mut written = if digits <= most { shortest } else { format!("{:.most$}", number.abs()) };
    if digits < least {
        written.push_str(if digits == 0 { "." } else { "" });
        written.push_str(&"0".repeat(least - digits));
    }
    let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
    let mut text = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push_str(thousands);
        }
        text.push(digit);
    }
    let kept = fraction.trim_end_matches('0').len().max(least);
    if kept > 0 {
        text.push_str(decimal);
        text.push_str(&fraction[..kept]);
    }
    let negative = number < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    if negative { format!("-{text}") } else { text }
}

fn money(number: &str, currency: &str, locale: &str) -> String {
    let sign = match currency {
        "USD" if locale.starts_with("zh") => "US$",
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" if locale.starts_with("zh") => "JP¥",
        "JPY" => "¥",
        "CNY" if locale.starts_with("zh") => "¥",
        "CNY" => "CN¥",
        "KRW" => "₩",
        "INR" => "₹",
        other => &format!("{other}\u{a0}"),
    };
    let (minus, number) = number.strip_prefix('-').map_or(("", number), |n| ("-", n));
    match separators(locale).1 {
        "," => format!("{minus}{number}\u{a0}{sign}"),
        _ => format!("{minus}{sign}{number}"),
    }
}

fn sign_of_unit(unit: &str) -> &str {
    match unit {
        "meter" => "m",
        "kilometer" => "km",
        "centimeter" => "cm",
        "millimeter" => "mm",
        "mile" => "mi",
        "foot" => "ft",
        "hectare" => "ha",
        "kilogram" => "kg",
        "gram" => "g",
        "liter" => "L",
        "second" => "sec",
        "minute" => "min",
        "hour" => "hr",
        "percent" => "%",
        "byte" => "byte",
        "kilobyte" => "kB",
        "megabyte" => "MB",
        "gigabyte" => "GB",
        "celsius" => "°C",
        "degree" => "deg",
        "kilometer-per-hour" => "km/h",
        "mile-per-hour" => "mph",
        other => other,
    }
}
