import type { UseRequest, Wish } from '@/api/requests';
import type { Right } from '@/api/terms';

/** The steps of writing a request, in their order. */
export const STEPS = ['purpose', 'fields', 'extent', 'rights', 'attachment', 'check'] as const;
export type StepName = (typeof STEPS)[number];

export type Extent = 'whole' | 'drawn' | 'divisions';

/** A request while it is being written. */
export interface Draft {
  layer: string;
  purpose: string;
  legalBasis: string;
  caseNumber: string;
  allFields: boolean;
  fields: string[];
  extent: Extent;
  area: GeoJSON.Geometry | null;
  divisions: string[];
  filter: string;
  rights: Right[];
  from: string;
  until: string;
}

export const PURPOSE_LEAST = 10;

export const empty = (layer: string, today: string): Draft => ({
  layer,
  purpose: '',
  legalBasis: '',
  caseNumber: '',
  allFields: false,
  fields: [],
  extent: 'whole',
  area: null,
  divisions: [],
  filter: '',
  rights: ['view', 'query'],
  from: today,
  until: yearLater(today),
});

/** The day before the same day of the next year; of 29 February, 28 February. */
export function yearLater(day: string): string {
  const [year, month, date] = day.split('-').map(Number);
  const last = new Date(Date.UTC(year + 1, month - 1, date - 1));
  return last.toISOString().slice(0, 10);
}

/** The longest term. */
const LONGEST_DAYS = 5 * 366;
const days = (from: string, until: string): number => Math.round((Date.parse(`${until}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);

/** What is still missing in a step, as keys of texts. */
export function faults(step: StepName, draft: Draft, today: string): string[] {
  const found: string[] = [];
  const need = (holds: boolean, fault: string) => holds || found.push(fault);
  if (step === 'purpose') {
    need(draft.layer !== '', 'layer');
    need([...draft.purpose.trim()].length >= PURPOSE_LEAST, 'purpose');
  } else if (step === 'fields') {
    need(draft.allFields || draft.fields.length > 0, 'fields');
  } else if (step === 'extent') {
    need(draft.extent !== 'drawn' || draft.area !== null, 'area');
    need(draft.extent !== 'divisions' || draft.divisions.length > 0, 'divisions');
  } else if (step === 'rights') {
    need(draft.rights.length > 0, 'rights');
    need(draft.until !== '', 'until');
    need(draft.until === '' || draft.until >= today, 'past');
    need(draft.from === '' || draft.until === '' || draft.from <= draft.until, 'term');
    need(draft.until === '' || days(draft.from || today, draft.until) <= LONGEST_DAYS, 'long');
  } else if (step === 'check') {
    for (const other of STEPS) if (other !== 'check') found.push(...faults(other, draft, today));
  }
  return found;
}

/** The first step that is not done, from which one goes on. */
export const firstOpen = (draft: Draft, today: string): StepName => STEPS.find((step) => faults(step, draft, today).length > 0) ?? 'check';

export function wishOf(draft: Draft): Wish {
  return {
    layer: draft.layer,
    purpose: draft.purpose.trim(),
    legal_basis: draft.legalBasis.trim(),
    case_number: draft.caseNumber.trim(),
    rights: draft.rights,
    fields: draft.allFields ? null : draft.fields,
    filter: draft.filter.trim() || null,
    divisions: draft.extent === 'divisions' ? draft.divisions : [],
    area: draft.extent === 'drawn' ? draft.area : null,
    from: draft.from || null,
    until: draft.until || null,
  };
}

const day = (moment: string | null): string => moment?.slice(0, 10) ?? '';

/** A request that was kept, to go on with. */
export function draftOf(kept: UseRequest): Draft {
  const { asked } = kept;
  return {
    layer: kept.layer,
    purpose: kept.purpose,
    legalBasis: kept.legalBasis,
    caseNumber: kept.caseNumber,
    allFields: asked.fields === null,
    fields: asked.fields ?? [],
    // An area of divisions is kept with their codes.
    extent: asked.divisions.length > 0 ? 'divisions' : asked.area ? 'drawn' : 'whole',
    area: asked.divisions.length > 0 ? null : asked.area,
    divisions: asked.divisions,
    filter: asked.filter,
    rights: asked.rights,
    from: day(asked.from),
    until: day(asked.until),
  };
}
