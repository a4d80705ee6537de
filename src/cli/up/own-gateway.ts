import { Failure } from '../../domain/failure.ts';
import type { Stage } from '../../app/experiments/stage.ts';

/** The gateway of `dev --gateway-port`: see src/dev-gateway. */
export function ownGateway(url: string): NonNullable<Stage['gateway']> {
  return {
    mood: async (mood, times) => {
      await ask(`${url}/mood`, { method: 'PUT', body: JSON.stringify({ mood, times }) });
    },
    chargedTwice: async () => {
      const books = (await ask(`${url}/books`, {})) as Record<'charged_twice' | 'refunded_twice', string[]>;
      return books.charged_twice.length + books.refunded_twice.length;
    },
  };
}

async function ask(url: string, how: RequestInit): Promise<unknown> {
  try {
    const response = await fetch(url, how);
    if (response.ok) return await response.json();
    throw new Failure('check_failed', `the payment gateway answered ${response.status}`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('check_failed', 'the payment gateway does not answer', { cause: error });
  }
}
