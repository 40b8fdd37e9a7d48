/** What the server refused, in its own words (RFC 9457). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  /** Where in the recipe: `/steps/0/width`. */
  readonly pointer: string | undefined;

  constructor(status: number, problem: Problem) {
    super(problem.detail ?? problem.title ?? `the server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? `${status}`;
    this.pointer = problem.errors?.[0]?.pointer?.replace(/^#/, '');
  }
}

interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly pointer?: string }[];
}

const KEPT = 'imgtool-token';

/** Keeps the token for this tab, until it is closed. */
export function keepToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, token);
}

/** Whether a token is kept. */
export function hasToken(): boolean {
  return sessionStorage.getItem(KEPT) !== null;
}

/** Whether the server wants a token, as it told when it served the page. */
export function wantsToken(): boolean {
  return document.documentElement.dataset.token === 'wanted';
}

/** Whether the server queues jobs. */
export function hasJobs(): boolean {
  return document.documentElement.dataset.jobs === 'on';
}

/** An address of the server; relative to the page, which may lie under a folder of a proxy. */
export function address(path: string): string {
  return new URL(path.replace(/^\/+/, ''), document.baseURI).href;
}

/** Asks the server; throws {@link Refusal} for what it refuses, and TypeError when it does not answer. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const token = sessionStorage.getItem(KEPT);
  if (token !== null) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(address(path), { ...init, headers, cache: 'no-store' });
  if (response.ok) return response;
  throw new Refusal(response.status, await problemOf(response));
}

/** Asks for JSON. */
export async function askJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await (await ask(path, init)).json()) as T;
}

/** What went wrong, for people. */
export function wordsFor(thrown: unknown): string {
  if (!(thrown instanceof Refusal)) return 'The server does not answer.';
  if (thrown.status === 401) return 'The token is not the right one. Reload the page to enter it again.';
  const words = thrown.message;
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)} (${thrown.code})`;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return {};
  }
}
