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

/** Where dead letters are sent again, or why they are not. */
export class Destinations {
  readonly #admin: BrokerAdmin;
  readonly #options: RedriveOptions;
  readonly #exists = new Map<string, boolean>();

  constructor(admin: BrokerAdmin, options: RedriveOptions) {
    this.#admin = admin;
    this.#options = options;
  }

  /** Of a dead letter that is open. @throws Failure invalid_input: a corrected value would change nothing */
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
        message: `it came back ${origin.replayCount} times`,
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

  /** Whether a group of this shop sent it that reads another topic since. Those of other groups may have other readers. */
  #isLeft({ origin: { format, group, topic } }: DeadLetter): boolean {
    const { readings } = this.#options;
    const isOurs = format === 'orderctl' && readings.some((reader) => reader.group === group);
    return isOurs && !readings.some(({ topics }) => topic !== null && topics.includes(topic));
  }

  /**
   * With the value that was given, and without the name of the schema of the one before.
   *
   * @throws Failure invalid_input: what its record asks for is owed as it was read, and tried once more whatever it says
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
  const why = `what it asked for came to nothing (${origin.errorCode ?? 'unknown'})`;
  const message = `${formatDeadLetterId(id)} was read, and ${why}: a corrected value would change nothing`;
  return new Failure('invalid_input', message, {
    fix: 'redrive it as it is, for one more try; nothing was sent',
  });
}
