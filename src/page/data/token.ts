import { signal } from '@preact/signals';

/** Until the tab is closed. */
const KEPT_AS = 'orderctl-token';

/** Whether the server has refused what it was asked with. */
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
