import { produce } from './00-produce.ts';
import { fetch } from './01-fetch.ts';
import { listOffsets } from './02-list-offsets.ts';
import { metadata } from './03-metadata.ts';
import { apiVersions } from './18-api-versions.ts';
import { createTopics } from './19-create-topics.ts';
import { deleteTopics } from './20-delete-topics.ts';
import { deleteRecords } from './21-delete-records.ts';
import { offsetForLeaderEpoch } from './23-offset-for-leader-epoch.ts';
import { createPartitions } from './37-create-partitions.ts';
import { describeCluster } from './60-describe-cluster.ts';
import type { AnyApi } from './api.ts';

/** All that this broker answers, by key; what is told to clients by ApiVersions is made from this table. */
const ALL: readonly AnyApi[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  apiVersions(() => ALL),
  createTopics,
  deleteTopics,
  deleteRecords,
  offsetForLeaderEpoch,
  createPartitions,
  describeCluster,
];

export const APIS: ReadonlyMap<number, AnyApi> = new Map(ALL.map((api) => [api.key, api]));
