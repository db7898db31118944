export const LEAST = 12;

/** What is wrong with a new password, as keys of texts; the server also knows the last ones. */
export function faults(wanted: string, again: string, login: string): string[] {
  const found: string[] = [];
  const length = [...wanted].length;
  if (length < LEAST) found.push('short');
  else if (new Set(wanted).size < 5) found.push('plain');
  const name = login.toLowerCase();
  const lower = wanted.toLowerCase();
  if ([...name].length >= 3 && lower.includes(name) && [...lower.replaceAll(name, '')].length < LEAST - 4) found.push('login');
  if (wanted !== again) found.push('differs');
  return found;
}

/** A code of six digits, as an authenticator shows it: spaces do not count. */
export const codeOf = (typed: string): string | null => {
  const digits = typed.replace(/\s/g, '');
  return /^\d{6}$/.test(digits) ? digits : null;
};

/** A browser in few words, from what it calls itself. */
export function browserOf(agent: string): string {
  const browser = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : '';
  const system = /Windows/.test(agent) ? 'Windows' : /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Mac OS/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : '';
  return [browser, system].filter(Boolean).join(' · ') || agent.slice(0, 60);
}
