/**
 * A landing: the declaration that a topic is kept in a table.
 *
 * Declared in `lakehouse/`, run by `LandingTask`. A table is a landed topic: a row is a pure function of its record, and
 * `source_topic, source_partition, source_offset` identify it.
 */
import { durationMs, type DurationText, type Topic } from "@frazil/core"
import type { ShardId } from "@frazil/engine"
import { partitionSpec, type PartitionBy, type PartitionSpec, partitionProblems } from "../spec/PartitionSpec.ts"
import { schemaProblems, type TableSchema } from "../spec/Schema.ts"
import { landedSchema } from "./TableSchema.ts"

/** The topic of a landing; its record type no longer matters. */
export type LandedTopic = Topic<never>

export interface Landing {
  /** Names the landing for life: its marks are found by it. */
  readonly uid: string
  readonly branch: "main"
  readonly topic: LandedTopic
  readonly namespace: string
  readonly name: string
  /** `namespace.name`. */
  readonly table: string
  readonly schema: TableSchema
  readonly spec: PartitionSpec
  /** Undefined: as the run says. */
  readonly commitEveryMs: number | undefined
}

/** The log stage of a landing: where its positions are kept. */
export const landingShard = (landing: Landing): ShardId => ({ uid: landing.uid, stage: "landing", shard: 0 })

export interface LandingOptions {
  /** `namespace.name`. */
  readonly table: string
  readonly partition?: ReadonlyArray<PartitionBy>
  readonly commitEvery?: DurationText
}

const tablePattern = /^([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)$/

/** Declares a landing. A declaration that makes no sense throws a `TypeError` that says what is wrong. */
const make = <A, Name extends string>(topic: Topic<A, Name>, options: LandingOptions): Landing => {
  const [, namespace, name] = tablePattern.exec(options.table) ?? []
  if (namespace === undefined || name === undefined) {
    throw new TypeError(
      `landing of ${topic.name}: a table is named namespace.table in lower case, not "${options.table}"`
    )
  }
  const schema = landedSchema(topic.shape)
  const spec = partitionSpec(schema, options.partition ?? [])
  const personal = (options.partition ?? [])
    .filter(({ column }) => topic.shape.byName.get(column)?.personal)
    .map(({ column }) => `"${column}" is personal: names of folders would show it`)
  const problems = [...schemaProblems(schema), ...partitionProblems(spec, schema), ...personal]
  if (problems.length > 0) throw new TypeError(`landing of ${topic.name}: ${problems.join("; ")}`)
  return {
    uid: `land.${topic.name}`,
    branch: "main",
    topic: topic as unknown as LandedTopic, // rows are read through the shape
    namespace,
    name,
    table: options.table,
    schema,
    spec,
    commitEveryMs: options.commitEvery === undefined ? undefined : durationMs(options.commitEvery)
  }
}

/** Partitions by the UTC day of a timestamp field. */
export const days = (field: string): PartitionBy => ({ column: field, transform: { _tag: "day" } })

export const Landing = { make } as const
