/** What the reader picked: whole classes, or single zones. Map, legend, histogram, chart and table show the same. */
export type Choice = { kind: 'classes' | 'zones'; of: ReadonlySet<number> } | null;

/** Picks one more of a kind, or gives it back; what was picked of the other kind goes. */
export function toggled(choice: Choice, kind: 'classes' | 'zones', one: number): Choice {
  const of = new Set(choice?.kind === kind ? choice.of : []);
  if (!of.delete(one)) of.add(one);
  return of.size === 0 ? null : { kind, of };
}

/** The zones that are picked; null where nothing is. −1 is the class of what has no figure. */
export function zonesPicked(choice: Choice, classOfZone: readonly (number | null)[]): ReadonlySet<number> | null {
  if (!choice) return null;
  if (choice.kind === 'zones') return choice.of;
  return new Set(classOfZone.flatMap((one, zone) => (choice.of.has(one ?? -1) ? [zone] : [])));
}

/** The classes that what is picked belongs to. */
export function classesPicked(choice: Choice, classOfZone: readonly (number | null)[]): ReadonlySet<number> | null {
  if (!choice) return null;
  if (choice.kind === 'classes') return choice.of;
  return new Set([...choice.of].map((zone) => classOfZone[zone] ?? -1));
}
