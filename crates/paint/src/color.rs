//! Colours: CSS texts in, mixtures in sRGB, CIELAB and HCL, what tiny-skia draws with out.

/// Red, green, blue and opacity from 0 to 1, not multiplied with the opacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Color {
    pub r: f64,
    pub g: f64,
    pub b: f64,
    pub a: f64,
}

impl Default for Color {
    fn default() -> Color {
        Color::TRANSPARENT
    }
}

impl Color {
    pub const BLACK: Color = Color { r: 0.0, g: 0.0, b: 0.0, a: 1.0 };
    pub const TRANSPARENT: Color = Color { r: 0.0, g: 0.0, b: 0.0, a: 0.0 };

    /// A colour as CSS writes it.
    pub fn parse(text: &str) -> Option<Color> {
        let text = text.trim();
        // The parser takes digits without `#` too, which CSS does not.
        if text.len() > 100 || !text.starts_with(|c: char| c == '#' || c.is_ascii_alphabetic()) {
            return None;
        }
        let hex_without_sign = text.bytes().all(|b| b.is_ascii_hexdigit());
        if hex_without_sign && !text.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        if hex_without_sign && matches!(text.len(), 3 | 4 | 6 | 8) && !text.eq_ignore_ascii_case("red") {
            return None;
        }
        let c = csscolorparser::parse(text).ok()?;
        Some(Color { r: f64::from(c.r), g: f64::from(c.g), b: f64::from(c.b), a: f64::from(c.a) }.clamped())
    }

    fn clamped(self) -> Color {
        let Color { r, g, b, a } = self;
        Color { r: r.clamp(0.0, 1.0), g: g.clamp(0.0, 1.0), b: b.clamp(0.0, 1.0), a: a.clamp(0.0, 1.0) }
    }

    /// The same with its opacity multiplied.
    pub fn faded(self, opacity: f64) -> Color {
        Color { a: self.a * opacity.clamp(0.0, 1.0), ..self }
    }

    pub(crate) fn skia(self) -> tiny_skia::Color {
        let c = self.clamped();
        tiny_skia::Color::from_rgba(c.r as f32, c.g as f32, c.b as f32, c.a as f32)
            .unwrap_or(tiny_skia::Color::TRANSPARENT)
    }

    /// A mixture, of which `t` is `b`.
    pub fn mix(a: Color, b: Color, t: f64) -> Color {
        let number = |a: f64, b: f64| a + (b - a) * t;
        Color { r: number(a.r, b.r), g: number(a.g, b.g), b: number(a.b, b.b), a: number(a.a, b.a) }
    }

    pub fn mix_lab(a: Color, b: Color, t: f64) -> Color {
        let (la, lb) = (a.lab(), b.lab());
        let lab = std::array::from_fn(|i| la[i] + (lb[i] - la[i]) * t);
        Color::of_lab(lab, a.a + (b.a - a.a) * t)
    }

    pub fn mix_hcl(a: Color, b: Color, t: f64) -> Color {
        let ([ha, ca, la], [hb, cb, lb]) = (hcl(a.lab()), hcl(b.lab()));
        let number = |a: f64, b: f64| a + (b - a) * t;
        // The shorter way around the wheel; a grey has no hue and takes the other's.
        let (hue, chroma) = match (ha.is_nan(), hb.is_nan()) {
            (false, false) => {
                let way = hb - ha;
                let way = if way > 180.0 {
                    way - 360.0
                } else if way < -180.0 {
                    way + 360.0
                } else {
                    way
                };
                (ha + way * t, None)
            }
            (false, true) => (ha, (lb == 1.0 || lb == 0.0).then_some(ca)),
            (true, false) => (hb, (la == 1.0 || la == 0.0).then_some(cb)),
            (true, true) => (f64::NAN, None),
        };
        let chroma = chroma.unwrap_or_else(|| number(ca, cb));
        let (sin, cos) = if hue.is_nan() { (0.0, 0.0) } else { hue.to_radians().sin_cos() };
        Color::of_lab([number(la, lb), cos * chroma, sin * chroma], number(a.a, b.a))
    }

    /// CIELAB with D50 white, as CSS has it.
    fn lab(self) -> [f64; 3] {
        let [r, g, b] = [self.r, self.g, self.b].map(linear);
        let y = forward((0.2225045 * r + 0.7168786 * g + 0.0606169 * b) / WHITE[1]);
        let (x, z) = match r == g && g == b {
            true => (y, y),
            false => (
                forward((0.4360747 * r + 0.3850649 * g + 0.1430804 * b) / WHITE[0]),
                forward((0.0139322 * r + 0.0971045 * g + 0.7141733 * b) / WHITE[2]),
            ),
        };
        let l = 116.0 * y - 16.0;
        [l.max(0.0), 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn of_lab([l, a, b]: [f64; 3], alpha: f64) -> Color {
        let y = (l + 16.0) / 116.0;
        let x = WHITE[0] * backward(y + a / 500.0);
        let z = WHITE[2] * backward(y - b / 200.0);
        let y = WHITE[1] * backward(y);
        Color {
            r: encoded(3.1338561 * x - 1.6168667 * y - 0.4906146 * z),
            g: encoded(-0.9787684 * x + 1.9161415 * y + 0.0334540 * z),
            b: encoded(0.0719453 * x - 0.2289914 * y + 1.4052427 * z),
            a: alpha,
        }
        .clamped()
    }
}

const WHITE: [f64; 3] = [0.96422, 1.0, 0.82521];
const EPSILON: f64 = 6.0 / 29.0;

fn hcl([l, a, b]: [f64; 3]) -> [f64; 3] {
    let chroma = a.hypot(b);
    // Rounded, or the noise of the conversion would give greys a hue.
    let hue = match (chroma * 10_000.0).round() == 0.0 {
        true => f64::NAN,
        false => b.atan2(a).to_degrees().rem_euclid(360.0),
    };
    [hue, chroma, l]
}

fn linear(c: f64) -> f64 {
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

fn encoded(c: f64) -> f64 {
    if c <= 0.00304 { 12.92 * c } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 }
}

fn forward(t: f64) -> f64 {
    if t > EPSILON.powi(3) { t.cbrt() } else { t / (3.0 * EPSILON * EPSILON) + 4.0 / 29.0 }
}

fn backward(t: f64) -> f64 {
    if t > EPSILON { t.powi(3) } else { 3.0 * EPSILON * EPSILON * (t - 4.0 / 29.0) }
}
