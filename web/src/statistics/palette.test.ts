import { expect, test } from 'vitest';
import { CATEGORY_COLOURS, colours, DIVERGING, PAIR_COLOURS, PALETTES, SEQUENTIAL } from './palette';

const channels = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255).map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
const luminance = (rgb: number[]) => 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];

// Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
const BLIND = {
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
};
const seen = (matrix: number[][], rgb: number[]) => matrix.map((row) => Math.max(0, row.reduce((sum, part, index) => sum + part * rgb[index], 0)));
const apart = (a: number[], b: number[]) => Math.hypot(...a.map((one, index) => Math.cbrt(one) - Math.cbrt(b[index])));

test('as many colours as classes, each its own', () => {
  for (const palette of PALETTES) {
    for (let classes = 1; classes <= 12; classes += 1) expect(new Set(colours(palette, classes)).size, `${palette} ${classes}`).toBe(classes);
  }
});

test('a ramp falls from light to dark, also reversed and in grey', () => {
  for (const palette of SEQUENTIAL) {
    const light = colours(palette, 9).map((one) => luminance(channels(one)));
    expect(light.every((one, index) => index === 0 || one < light[index - 1]), palette).toBe(true);
    expect(colours(palette, 9, true)).toEqual(colours(palette, 9).reverse());
  }
});

test('neighbours of seven classes are told apart without red or green', () => {
  for (const palette of PALETTES) {
    const made = colours(palette, 7).map(channels);
    for (const [kind, matrix] of Object.entries(BLIND)) {
      for (let at = 1; at < made.length; at += 1) expect(apart(seen(matrix, made[at - 1]), seen(matrix, made[at])), `${palette} ${kind} ${at}`).toBeGreaterThan(0.05);
    }
  }
});

test('the two arms of a diverging ramp are never one colour', () => {
  for (const palette of DIVERGING) {
    const made = colours(palette, 7).map(channels);
    for (const [kind, matrix] of Object.entries(BLIND)) expect(apart(seen(matrix, made[0]), seen(matrix, made[6])), `${palette} ${kind}`).toBeGreaterThan(0.15);
  }
});

test('things without an order, and nine classes of two figures, are told apart', () => {
  for (const made of [CATEGORY_COLOURS, PAIR_COLOURS]) {
    for (const [kind, matrix] of Object.entries(BLIND)) {
      const all = made.map((one) => seen(matrix, channels(one)));
      all.forEach((one, at) => all.slice(0, at).forEach((other) => expect(apart(one, other), `${kind} ${at}`).toBeGreaterThan(0.04)));
    }
  }
});
