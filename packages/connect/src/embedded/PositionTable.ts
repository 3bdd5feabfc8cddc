/**
 * Positions that readers publish, by group: for display and lag, never to start from (protocol, rule 3).
 *
 * Called by `EmbeddedLog`, inside `LogFile`'s transactions.
 */
import type { Database } from "./Database.ts"

export interface PublishedPosition {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export const publishPositions = (
  db: Database,
  group: string,
  positions: ReadonlyArray<Omit<PublishedPosition, "group">>
): void => {
  for (const { topic, partition, offset } of positions) {
    db.run(
      "insert into position values (?, ?, ?, ?) on conflict (group_name, topic, partition) do update set next_offset = excluded.next_offset",
      group,
      topic,
      partition,
      offset
    )
  }
}

export const listPositions = (db: Database): ReadonlyArray<PublishedPosition> =>
  db
    .all<PublishedPosition>(
      `select group_name as "group", topic, partition, next_offset as "offset" from position order by 1, 2, 3`
    )
    .map(({ group, topic, partition, offset }) => ({ group, topic, partition, offset }))
