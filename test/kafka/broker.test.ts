import { brokerContract } from '../contract/broker.suite.ts';
import { testBrokers } from '../support/topics.ts';

brokerContract(() => testBrokers().split(','));
