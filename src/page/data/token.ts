import { signal } from '@preact/signals';

/** Key in the session storage, which lasts until the tab is closed. */
const KEPT_AS = 'orderctl-token';

/** Whether the server refused the token, or a request without one. */
export const isRefused = signal(false);

export function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(KEPT_AS);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

export function askForToken(): void {
  isRefused.value = true;
}

export function takeToken(token: string): void {
  sessionStorage.setItem(KEPT_AS, token);
  location.reload();
}

export function hasToken(): boolean {
  return sessionStorage.getItem(KEPT_AS) !== null;
}
