export const DECLARED =
  'Declared are the orders topic (6 partitions, 3 copies, a week of retention) and its dead-letter topic (the same, ' +
  '30 days, and records 64 KiB larger than the orders topic takes). These are minimum values: larger ones in the ' +
  'cluster stay as they are. Names come from --topic and --dlq-topic.';
