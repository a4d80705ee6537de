import type { Advice } from '../../domain/advice.ts';
import { Failure } from '../../domain/failure.ts';
import { formatDeadLetterId } from '../../domain/topics/dead-letter-id.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';
import type { DeadLetter } from './dead-letters.ts';
import { EFFECT_STAGE, withoutSchema } from './headers.ts';
import type { RedriveOptions, SkipReason } from './redrive-events.ts';

export interface Planned {
  readonly deadLetter: DeadLetter;
  readonly topic: string;
}

/** Determines where dead letters are sent again, or why they are not. */
export class Destinations {
  readonly #admin: BrokerAdmin;
  readonly #options: RedriveOptions;
  readonly #exists = new Map<string, boolean>();

  constructor(admin: BrokerAdmin, options: RedriveOptions) {
    this.#admin = admin;
    this.#options = options;
  }

  /** The destination of an open dead letter. @throws Failure invalid_input: a corrected value would change nothing */
  async of(deadLetter: DeadLetter): Promise<Planned | { reason: SkipReason; message: string; fix: Advice }> {
    const { toTopic, maxRedrives } = this.#options;
    const { origin } = deadLetter;
    const topic = toTopic ?? origin.topic;
    if (topic === null) {
      return {
        reason: 'no_original_topic',
        message: 'its headers do not say which topic it came from',
        fix: { kind: 'send_to_topic' },
      };
    }
    if (origin.replayCount >= maxRedrives) {
      return {
        reason: 'quarantined',
        message: `it was already redriven ${origin.replayCount} times`,
        fix: { kind: 'allow_redrives', count: origin.replayCount + 1 },
      };
    }
    const isItself = topic === deadLetter.topic;
    if (isItself || !(await this.#topicExists(topic))) {
      const why = isItself ? 'is the dead-letter topic itself' : 'does not exist';
      return {
        reason: 'topic_missing',
        message: `its topic ${topic} ${why}`,
        fix: { kind: 'send_to_topic' },
      };
    }
    if (toTopic === null && this.#isLeft(deadLetter)) {
      return {
        reason: 'topic_unread',
        message: `no processor of this shop reads its topic ${topic} any more`,
        fix: { kind: 'send_to_topic' },
      };
    }
    return { deadLetter: this.#corrected(deadLetter), topic };
  }

  /** Whether it is from a group of this shop that no longer reads its topic. Other groups may have other readers. */
  #isLeft({ origin: { format, group, topic } }: DeadLetter): boolean {
    const { readings } = this.#options;
    const isOurs = format === 'orderctl' && readings.some((reader) => reader.group === group);
    return isOurs && !readings.some(({ topics }) => topic !== null && topics.includes(topic));
  }

  /**
   * The dead letter with the corrected value, if there is one; the header that names the schema of the old value is
   * removed.
   *
   * @throws Failure invalid_input: the effect is stored with the values that were read, so a new value would change
   *   nothing
   */
  #corrected(deadLetter: DeadLetter): DeadLetter {
    const { value, toTopic } = this.#options;
    if (value !== null && toTopic === null && deadLetter.origin.errorStage === EFFECT_STAGE)
      throw wasRead(deadLetter);
    return value === null ? deadLetter : { ...deadLetter, value, headers: withoutSchema(deadLetter.headers) };
  }

  async #topicExists(topic: string): Promise<boolean> {
    const known = this.#exists.get(topic);
    if (known !== undefined) return known;
    const exists = (await this.#admin.partitionCount(topic)) !== undefined;
    this.#exists.set(topic, exists);
    return exists;
  }
}

function wasRead({ id, origin }: DeadLetter): Failure {
  const why = `its effect failed (${origin.errorCode ?? 'unknown'})`;
  const message = `${formatDeadLetterId(id)} could be read, but ${why}: a corrected value would change nothing`;
  return new Failure('invalid_input', message, {
    fix: 'redrive it unchanged to try once more; nothing was sent',
  });
}
