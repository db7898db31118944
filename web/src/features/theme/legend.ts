interface Bounds {
  min: number;
  upper: number[];
}

interface Counted {
  colours: string[];
  counts: number[];
  none: number;
}

/** What the signs of a thematic map mean. */
export type Legend =
  | { form: 'dots'; perDot: number; what: string }
  | ({ form: 'pair'; first: Bounds; second: Bounds; names: [string, string] } & Counted)
  | ({ form: 'classes'; what: string; round: boolean; /** Of texts, which have no bounds. */ labels: string[] | null; withheld: number } & Bounds & Counted);
