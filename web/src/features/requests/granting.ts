import type { NewGrant } from '@/api/grants';
import { faults, wishOf, type Draft, type StepName } from './draft';

/** What of a request's form a grant is written with, too; its purpose is the giver's own. */
const PARTS: StepName[] = ['fields', 'extent', 'rights'];

/** What is still missing, as keys of texts. */
export function missing(draft: Draft, department: string, today: string): string[] {
  const found: string[] = [];
  if (draft.layer === '') found.push('requests.fault.layer');
  if (department === '') found.push('granting.fault.department');
  // A grant may last without an end: the owner can revoke it on any day.
  for (const part of PARTS) found.push(...faults(part, draft, today).filter((fault) => fault !== 'until').map((fault) => `requests.fault.${fault}`));
  if (draft.purpose.trim() === '') found.push('granting.fault.purpose');
  return found;
}

/** Days are those of the platform's clock, as with requests. */
const ZONE = '+08:00';

/** As it is sent. One that begins today holds at once, whatever the clock of this machine says. */
export function grantOf(draft: Draft, department: string, today: string): NewGrant {
  const wish = wishOf(draft);
  return {
    layer: wish.layer,
    department,
    rights: draft.rights,
    fields: wish.fields,
    filter: wish.filter,
    divisions: wish.divisions,
    area: wish.area,
    purpose: wish.purpose,
    legal_basis: wish.legal_basis,
    case_number: wish.case_number,
    valid_from: wish.from && wish.from > today ? `${wish.from}T00:00:00${ZONE}` : null,
    valid_until: wish.until ? `${wish.until}T23:59:59${ZONE}` : null,
  };
}
