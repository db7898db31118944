/**
 * The server's colour ramps, made in OKLab (Ottosson, "A perceptual color space for image processing", 2020): a map made
 * here and the layer that it is saved as have the same colours. They are told apart by colour-blind readers and grow
 * darker with every class.
 */
export const SEQUENTIAL = ['blues', 'greens', 'oranges', 'purples', 'reds'] as const;
export const DIVERGING = ['blue_orange', 'purple_green', 'teal_brown'] as const;
export type Palette = (typeof SEQUENTIAL)[number] | (typeof DIVERGING)[number];
export const PALETTES: readonly Palette[] = [...SEQUENTIAL, ...DIVERGING];

/** What is drawn where there is no value, and where one is withheld. */
export const NO_DATA = '#e4e4e4';
export const WITHHELD = '#bdbdbd';

/** Hues from least to most, and chroma. */
const RAMPS: Record<(typeof SEQUENTIAL)[number], [number, number, number]> = {
  blues: [240, 265, 0.14],
  greens: [140, 160, 0.12],
  oranges: [80, 40, 0.14],
  purples: [320, 300, 0.14],
  reds: [40, 25, 0.15],
};
/** The hues of the two ends. */
const ARMS: Record<(typeof DIVERGING)[number], [number, number]> = { blue_orange: [255, 55], purple_green: [310, 145], teal_brown: [195, 60] };

function linear(l: number, a: number, b: number): number[] {
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
}

/** By lightness, chroma and hue; the chroma is lessened until sRGB has the colour. */
function hex(l: number, chroma: number, hue: number): string {
  const [cos, sin] = [Math.cos((hue * Math.PI) / 180), Math.sin((hue * Math.PI) / 180)];
  const at = (c: number) => linear(l, c * cos, c * sin);
  const fits = (rgb: number[]) => rgb.every((one) => one >= -1e-4 && one <= 1.0001);
  let kept = chroma;
  while (kept > 0 && !fits(at(kept))) kept -= 0.002;
  // The transfer function of sRGB (IEC 61966-2-1).
  const coded = (c: number) => (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);
  const pair = (c: number) => Math.round(coded(Math.min(1, Math.max(0, c))) * 255).toString(16).padStart(2, '0');
  return `#${at(Math.max(0, kept)).map(pair).join('')}`;
}

function colour(palette: Palette, at: number): string {
  if (palette in RAMPS) {
    const [from, to, chroma] = RAMPS[palette as keyof typeof RAMPS];
    return hex(0.955 - 0.62 * at, 0.015 + (chroma - 0.015) * Math.min(1, 1.6 * at), from + (to - from) * at);
  }
  const side = Math.abs(at - 0.5) * 2;
  const [low, high] = ARMS[palette as keyof typeof ARMS];
  return hex(0.965 - 0.5 * side, 0.16 * Math.min(1, 3 * side), at < 0.5 ? low : high);
}

/** Of different things without an order: lightness, chroma and hue, as the server has them. */
const CATEGORIES: [number, number, number][] = [
  [0.58, 0.1, 255],
  [0.88, 0.15, 105],
  [0.42, 0.1, 15],
  [0.88, 0.15, 180],
  [0.58, 0.15, 45],
  [0.42, 0.15, 285],
  [0.74, 0.1, 225],
  [0.74, 0.1, 60],
];
export const CATEGORY_COLOURS: readonly string[] = CATEGORIES.map((one) => hex(...one));

/** Classes along a side of a square of two values. */
export const SIDE = 3;
/** Row by row from below: the first value grows along a row, the second from row to row. */
export const PAIR_COLOURS: readonly string[] = Array.from({ length: SIDE * SIDE }, (_, index) => {
  const [x, y] = [index % SIDE, Math.floor(index / SIDE)];
  const [a, b] = [-0.02 * x + 0.07 * y, -0.11 * x + 0.07 * y];
  return hex(0.95 - 0.2 * x - 0.17 * y, Math.hypot(a, b), (Math.atan2(b, a) * 180) / Math.PI);
});

/** As many colours as there are classes, the least first. */
export function colours(palette: Palette, classes: number, reversed = false): string[] {
  const made = Array.from({ length: classes }, (_, index) => colour(palette, classes === 1 ? 0.6 : index / (classes - 1)));
  return reversed ? made.reverse() : made;
}
